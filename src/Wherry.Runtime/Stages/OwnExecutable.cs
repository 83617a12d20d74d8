using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;

namespace Wherry.Runtime.Stages;

/// <summary>
/// This program's own binary, opened so that a stage can be executed by descriptor. It is reached through a
/// read-only mount attached nowhere: were a container to get at a stage's /proc/…/exe, it could not write the
/// host's binary through it (CVE-2019-5736).
/// </summary>
public static class OwnExecutable
{
    private static FileDescriptor? Shared;

    // Above any number a stage's own descriptors are put at.
    private const int LowestNumber = 64;

    /// <summary>The binary. Opened once and never closed: closing the last descriptor of a detached mount waits for every processor (RCU).</summary>
    /// <exception cref="WherryException">It takes CAP_SYS_ADMIN.</exception>
    /// <exception cref="LinuxException">It takes Linux 5.12.</exception>
    public static FileDescriptor Open() => Shared ??= OpenReadOnly();

    private static FileDescriptor OpenReadOnly()
    {
        using var mount = Clone();
        MountSyscalls.SetAttributes(mount, MountAttributes.ReadOnly | MountAttributes.NoSuid, MountAttributes.None, MountFlags.Private, recursive: false, "the runtime's own binary");
        return FileSyscalls.Duplicate(mount, LowestNumber);
    }

    private static FileDescriptor Clone()
    {
        try
        {
            return MountSyscalls.CloneTree("/proc/self/exe", recursive: false);
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.EPERM)
        {
            throw WherryException.System("the runtime lacks CAP_SYS_ADMIN, without which no namespace and no mount can be made", e);
        }
    }
}
