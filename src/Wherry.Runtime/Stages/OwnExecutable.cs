using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;
using Wherry.Linux.Processes;

namespace Wherry.Runtime.Stages;

/// <summary>
/// This program's own binary, opened so that a stage can be executed by descriptor. Were a container to get at a
/// stage's /proc/…/exe, it could not write the host's binary through it (CVE-2019-5736): it is reached through a
/// read-only mount attached nowhere or, by those who may make no mounts, is a sealed copy in memory.
/// </summary>
/// <remarks>
/// A program that is executed inside while it shares this process's memory has this process's /proc/…/exe too: who runs
/// one and does not outlive it, which would keep the binary busy, has to <see cref="Become"/> the shielded binary first.
/// </remarks>
public static class OwnExecutable
{
    private static FileDescriptor? Shared;

    // Above any number a stage's own descriptors are put at.
    private const int LowestNumber = 64;

    /// <summary>This process may clone mounts of the mount namespace it is in. Known once the binary has been opened.</summary>
    public static bool MayMount { get; private set; }

    /// <summary>The binary. Opened once and never closed: closing the last descriptor of a detached mount waits for every processor (RCU).</summary>
    /// <exception cref="LinuxException">The mount takes Linux 5.12, the copy a few megabytes of memory.</exception>
    public static FileDescriptor Open() => Shared ??= OpenShielded();

    /// <summary>Executes this program anew from the shielded binary, as the same process; returns when it already is that.</summary>
    public static void Become()
    {
        using var running = FileSyscalls.Open("/proc/self/exe", OpenFlags.ReadOnly);
        if (!SealedFile.IsSealed(running) && !FileSyscalls.IsOnReadOnlyMount(running))
        {
            ProcessSyscalls.Execute(Open(), Environment.GetCommandLineArgs(), OwnEnvironment.Entries());
        }
    }

    private static FileDescriptor OpenShielded()
    {
        using var shielded = TryClone() ?? SealedFile.CopyOf("/proc/self/exe", "wherry-init");
        return FileSyscalls.Duplicate(shielded, LowestNumber);
    }

    private static FileDescriptor? TryClone()
    {
        FileDescriptor mount;
        try
        {
            mount = MountSyscalls.CloneTree("/proc/self/exe", recursive: false);
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.EPERM)
        {
            return null;
        }

        try
        {
            MountSyscalls.SetAttributes(mount, MountAttributes.ReadOnly | MountAttributes.NoSuid, MountAttributes.None, MountFlags.Private, recursive: false, "the runtime's own binary");
            MayMount = true;
            return mount;
        }
        catch
        {
            mount.Dispose();
            throw;
        }
    }
}
