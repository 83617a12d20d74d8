using Wherry.Linux.Capabilities;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Processes;

/// <summary>
/// The calling thread as somebody else towards file systems, with all its capabilities, until disposed. For what
/// remembers who made it: an overlay on id-mapped layers acts there as its maker, who has to be mapped.
/// </summary>
public sealed class FileSystemIdentity : IDisposable
{
    private readonly CapabilitySets _capabilities;
    private readonly nint _uid;
    private readonly nint _gid;

    public FileSystemIdentity(uint uid, uint gid)
    {
        _capabilities = CapabilitySyscalls.Read();
        _gid = Syscall.Call(SyscallNumber.Setfsgid, (nint)gid);
        _uid = Syscall.Call(SyscallNumber.Setfsuid, (nint)uid);
        Raise();
    }

    public void Dispose()
    {
        Syscall.Call(SyscallNumber.Setfsuid, _uid);
        Syscall.Call(SyscallNumber.Setfsgid, _gid);
        Raise();
    }

    // Leaving root's id has taken the capabilities for files out of the effective set.
    private void Raise() => Syscall.Check(CapabilitySyscalls.TryApply(_capabilities with { Ambient = 0 }), "keep capabilities over a change of identity");
}
