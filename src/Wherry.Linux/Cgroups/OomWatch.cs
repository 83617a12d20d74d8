using System.Buffers.Binary;
using System.Globalization;
using Wherry.Errors;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Cgroups;

/// <summary>
/// Tells when a cgroup runs out of memory: by an eventfd on v1 (cgroup-v1, memory.rst, "OOM control"), by a
/// watch on the counts in memory.events on v2.
/// </summary>
public sealed class OomWatch : IDisposable
{
    private const int CloseOnExecNonBlocking = 0x80000 | 0x800;
    private const uint Modified = 0x2;

    private readonly CgroupDirectories _cgroup;
    private readonly FileDescriptor? _control;
    private long _kills;

    private OomWatch(CgroupDirectories cgroup, FileDescriptor descriptor, FileDescriptor? control)
    {
        _cgroup = cgroup;
        _control = control;
        Descriptor = descriptor;
        _kills = cgroup.OomKills();
    }

    /// <summary>Becomes readable when there may be news for <see cref="Take"/>, also when the cgroup is removed.</summary>
    public FileDescriptor Descriptor { get; }

    /// <exception cref="WherryException">No tree of this host counts memory.</exception>
    public static OomWatch Open(CgroupDirectories cgroup)
    {
        if (cgroup.V1("memory") is { } v1)
        {
            return OpenV1(cgroup, v1);
        }

        var file = (cgroup.V2("memory") ?? throw WherryException.Unsupported("this host has no cgroup controller \"memory\"")) + "/memory.events";
        var watch = new FileDescriptor((int)Syscall.Check(Syscall.Call(SyscallNumber.InotifyInit1, CloseOnExecNonBlocking), "make an inotify descriptor"));
        using var path = new NativeText(file);
        Syscall.Check(Syscall.Call(SyscallNumber.InotifyAddWatch, watch.Number, path.Address, (nint)Modified), $"watch {file}");
        return new OomWatch(cgroup, watch, null);
    }

    /// <summary>Takes what has come in; whether memory ran out since the last time.</summary>
    public bool Take()
    {
        Span<byte> buffer = stackalloc byte[4096];
        var read = FileSyscalls.Read(Descriptor.Number, buffer);
        if (_control is not null)
        {
            // The removal of the cgroup counts as an event too.
            return read == sizeof(ulong) && BinaryPrimitives.ReadUInt64LittleEndian(buffer) > 0 && Directory.Exists(_cgroup.V1("memory"));
        }

        var before = _kills;
        _kills = _cgroup.OomKills();
        return _kills > before;
    }

    public void Dispose()
    {
        Descriptor.Dispose();
        _control?.Dispose();
    }

    private static OomWatch OpenV1(CgroupDirectories cgroup, string directory)
    {
        var counter = new FileDescriptor((int)Syscall.Check(Syscall.Call(SyscallNumber.Eventfd2, 0, CloseOnExecNonBlocking), "make an eventfd"));
        var control = FileSyscalls.Open(directory + "/memory.oom_control", OpenFlags.ReadOnly);
        FileSyscalls.WriteKernelFile(
            directory + "/cgroup.event_control",
            string.Create(CultureInfo.InvariantCulture, $"{counter.Number} {control.Number}"));
        return new OomWatch(cgroup, counter, control);
    }
}
