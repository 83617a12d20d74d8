using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Processes;

namespace Wherry.Linux.Mounts;

/// <summary>
/// Mounts that the host never sees. A mount namespace (mount_namespaces(7)) belongs to a thread, so what is done in one is
/// done by a thread of its own, which comes home before it reports: a thread is born in its creator's namespace. What
/// was opened in there stays usable from every thread, as long as the namespace is kept open.
/// </summary>
public sealed class MountNamespace : IDisposable
{
    private static readonly Lazy<MountNamespace> Home = new(() => new MountNamespace(OpenPath("/proc/self/ns/mnt")));

    private readonly FileDescriptor _descriptor;

    private MountNamespace(FileDescriptor descriptor) => _descriptor = descriptor;

    public void Dispose() => _descriptor.Dispose();

    /// <summary>Runs <paramref name="work"/> in a copy of the host's mounts that is nobody else's, and keeps that copy until the result is disposed.</summary>
    /// <param name="work">Must neither start threads nor hand anything to the pool. What it throws comes out of here.</param>
    public static (MountNamespace Namespace, T Result) Create<T>(Func<T> work) => OnOwnThread(() =>
    {
        ProcessSyscalls.Unshare(CloneFlags.NewMount);
        // Slave: what the host unmounts must go here too, or its disk stays busy.
        MountSyscalls.Mount(null, "/", null, MountFlags.Recursive | MountFlags.Slave, null);
        var kept = new MountNamespace(OpenPath("/proc/thread-self/ns/mnt"));
        try
        {
            return (kept, work());
        }
        catch
        {
            kept.Dispose();
            throw;
        }
    });

    /// <summary>Runs <paramref name="work"/> among the mounts of a process, with that process's namespace root as the root.</summary>
    /// <param name="path">The namespace, e.g. <c>/proc/PID/ns/mnt</c>.</param>
    /// <param name="work">As for <see cref="Create"/>.</param>
    public static T RunIn<T>(string path, Func<T> work)
    {
        using var target = OpenPath(path);
        return OnOwnThread(() =>
        {
            // Root and working directory are shared by all threads until this one has its own (setns(2)).
            Syscall.Check(Syscall.Call(SyscallNumber.Unshare, ShareFileSystemState), "unshare the working directory");
            Enter(target, path);
            return work();
        });
    }

    private const int ShareFileSystemState = 0x200;

    private static FileDescriptor OpenPath(string path) => FileSyscalls.Open(path, OpenFlags.ReadOnly);

    private static void Enter(FileDescriptor target, string what) =>
        Syscall.Check(Syscall.Call(SyscallNumber.Setns, target.Number, (nint)(uint)CloneFlags.NewMount), $"enter the mounts of {what}");

    private static T OnOwnThread<T>(Func<T> work)
    {
        var home = Home.Value;
        T? result = default;
        System.Runtime.ExceptionServices.ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = work();
            }
            catch (Exception e)
            {
                failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(e);
            }

            // Refused only if it never left (its working directory is still everybody's), and then it is home.
            _ = Syscall.Call(SyscallNumber.Setns, home._descriptor.Number, (nint)(uint)CloneFlags.NewMount);
        })
        {
            IsBackground = true,
            Name = "mounts",
        };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }
}
