using System.Runtime.InteropServices;

namespace Wherry.Linux.NetworkNamespaces;

/// <summary>
/// An open network namespace (network_namespaces(7)). A socket belongs for ever to the namespace of the thread that opened
/// it, so work inside one is done by a thread of its own, which enters, works and ends: no thread of the pool is ever left
/// in a foreign namespace. The thread also comes home before it reports: a thread is born in its creator's namespace, and
/// reporting may be what makes the pool create one. Where it can't come home (the host's network is not an ordinary user's
/// to enter), another thread that never left waits for its end and reports.
/// </summary>
public sealed partial class NetworkNamespace : IDisposable
{
    private const int O_RDONLY = 0;
    private const int O_CLOEXEC = 0x80000;
    private const int CLONE_NEWNET = 0x40000000;

    // The work inside is a few netlink messages; the default stack of 8 MB would only be address space to map.
    private const int StackSize = 256 * 1024;

    // Where the main thread is, and so every thread that never entered another.
    private static readonly Lazy<NetworkNamespace> Home = new(() => Open("/proc/self/ns/net"));

    // Entering the namespace one is in changes nothing, but takes the right to.
    private static readonly Lazy<bool> CanReturn = new(() => SetNamespace(Home.Value.Descriptor.Number, CLONE_NEWNET) == 0);

    private readonly string _path;

    private NetworkNamespace(FileDescriptor descriptor, string path)
    {
        Descriptor = descriptor;
        _path = path;
    }

    /// <summary>Owned by this object.</summary>
    public FileDescriptor Descriptor { get; }

    /// <param name="path">E.g. <c>/proc/PID/ns/net</c>.</param>
    public static NetworkNamespace Open(string path)
    {
        // SAFETY: a plain call; the descriptor is owned from here on.
        var fd = OpenFile(path, O_RDONLY | O_CLOEXEC);
        return fd >= 0
            ? new NetworkNamespace(new FileDescriptor(fd), path)
            : throw new LinuxException($"open network namespace {path}", Marshal.GetLastPInvokeError());
    }

    /// <summary>
    /// Runs <paramref name="work"/> on a thread of its own. The thread starts in the caller's namespace and enters another
    /// with <see cref="Enter"/>; the work inside must not start threads or hand anything to the pool.
    /// </summary>
    public static Task<T> OnOwnThreadAsync<T>(Func<T> work)
    {
        var home = Home.Value;
        var returns = CanReturn.Value;
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(
            () =>
            {
                T? result = default;
                Exception? failure = null;
                void Work()
                {
                    try
                    {
                        result = work();
                    }
                    catch (Exception e)
                    {
                        failure = e;
                    }
                }

                if (returns)
                {
                    Work();
                    home.Return();
                }
                else
                {
                    RunOnThreadThatEnds(Work);
                }

                if (failure is null)
                {
                    done.SetResult(result!);
                }
                else
                {
                    done.SetException(failure);
                }
            },
            StackSize)
        {
            IsBackground = true,
            Name = "netns",
        };
        thread.Start();
        return done.Task;
    }

    private static void RunOnThreadThatEnds(Action work)
    {
        var thread = new Thread(work.Invoke, StackSize) { IsBackground = true, Name = "netns" };
        thread.Start();
        thread.Join();
    }

    /// <summary>Moves the calling thread into this namespace for the rest of its life. Only for threads of <see cref="OnOwnThreadAsync"/>.</summary>
    public void Enter()
    {
        // SAFETY: changes only the calling thread, which its creator lets end after this work.
        if (SetNamespace(Descriptor.Number, CLONE_NEWNET) < 0)
        {
            throw new LinuxException($"enter network namespace {_path}", Marshal.GetLastPInvokeError());
        }
    }

    public void Dispose() => Descriptor.Dispose();

    // Without it the process would go on with threads in a stranger's network; ending it is safe, containers outlive it.
    private void Return()
    {
        // SAFETY: as Enter.
        if (SetNamespace(Descriptor.Number, CLONE_NEWNET) < 0)
        {
            Environment.FailFast($"return to network namespace {_path}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int fd, int type);
}
