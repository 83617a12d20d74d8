using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Polling;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Linux.Sockets;

namespace Wherry.Runtime.Checkpoints;

/// <summary>
/// CRIU at work for us: <c>criu swrk</c>, a child that takes requests over a socket (criu.org, "RPC"). That rather than
/// its command line, as over the socket it says when a step is reached, waits for our answer, passes the master of a
/// restored terminal on, and makes what it restores our own child. Ended when disposed.
/// </summary>
public sealed class CriuProcess : IDisposable
{
    /// <summary>The first number of the descriptors that it is given.</summary>
    public const int FirstInherited = SocketNumber + 1;

    private const int SocketNumber = 3;
    private const int LargestMessage = 64 * 1024;
    private const int PatienceWithAnswer = 5000;
    private const int LookAtProcess = 500;
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    // The oldest with everything that is asked of it here; it would pass over what it does not know.
    private static readonly Version Oldest = new(3, 15);

    private readonly FileDescriptor _socket;
    private readonly FileDescriptor _said;
    private (int Process, FileDescriptor Signals)? _givesUpWith;
    private bool _ended;

    private CriuProcess(int pid, FileDescriptor socket, FileDescriptor said)
    {
        Pid = pid;
        _socket = socket;
        _said = said;
    }

    public int Pid { get; }

    /// <summary>Finds the program.</summary>
    /// <param name="name">A path, or a name that is looked for in PATH and where a system's administrator has programs.</param>
    /// <exception cref="WherryException">There is none.</exception>
    public static string Find(string name)
    {
        if (name.Contains('/'))
        {
            return File.Exists(name) ? Path.GetFullPath(name) : throw Missing(name);
        }

        foreach (var directory in SearchPath.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            if (File.Exists(Path.Combine(directory, name)))
            {
                return Path.Combine(directory, name);
            }
        }

        throw Missing(name);
    }

    /// <summary>Starts it in the calling thread's mount namespace.</summary>
    /// <param name="program">From <see cref="Find"/>.</param>
    /// <param name="inherited">What it gets as its descriptors from <see cref="FirstInherited"/> on; not owned.</param>
    public static CriuProcess Start(string program, IReadOnlyList<FileDescriptor> inherited)
    {
        var (ours, theirs) = UnixSockets.MessagePair();
        FileDescriptor? said = null;
        try
        {
            using (theirs)
            using (var input = FileSyscalls.Duplicate(0))
            {
                // What it says before it has a log of its own is all there is to tell why it can't run on this kernel.
                said = FileSyscalls.MemoryFile("criu");
                var pid = ProgramSpawn.Start(
                    program, [program, "swrk", SocketNumber.ToString(CultureInfo.InvariantCulture)], ItsEnvironment(),
                    [input, said, said, theirs, .. inherited], blockedSignals: 0);
                return new CriuProcess(pid, ours, said);
            }
        }
        catch
        {
            said?.Dispose();
            ours.Dispose();
            throw;
        }
    }

    /// <exception cref="WherryException">It is too old.</exception>
    public void RequireVersion()
    {
        var answer = Ask(CriuKind.Version, null, null, keepsOpen: true);
        if (answer.Version < Oldest)
        {
            throw WherryException.Unsupported($"CRIU {answer.Version} is too old: at least {Oldest} is needed");
        }
    }

    /// <summary>
    /// Gives up on a dump when its process has ended, which CRIU does itself only in its last steps, or this one is told to
    /// end: else CRIU, in a session of its own, would serve memory that nobody comes for.
    /// </summary>
    /// <param name="pid">The process, which nobody can reap as long as CRIU traces it.</param>
    /// <param name="signals">A signalfd; not owned.</param>
    public void GiveUpWith(int pid, FileDescriptor signals) => _givesUpWith = (pid, signals);

    /// <exception cref="WherryException">It can't leave memory to be moved later, or this kernel can't have processes wait for it.</exception>
    public void RequireLazyPages()
    {
        if (!Ask(CriuKind.FeatureCheck, null, null, keepsOpen: true, CriuAnswer.LazyPagesFeature).HasLazyPages)
        {
            throw WherryException.Unsupported("--lazy-pages: this kernel has no userfaultfd that tells of all that becomes of memory (criu check --feature uffd-noncoop)");
        }
    }

    /// <summary>Writes images of a process and all below it, which ends them unless they are to be left running.</summary>
    /// <param name="options">How.</param>
    /// <param name="onEvent">As for <see cref="Restore"/>; with lazy pages told <c>status-ready</c> when they are served, and then the dump lasts until all are fetched.</param>
    /// <exception cref="CriuException">It failed; the processes run on.</exception>
    public void Dump(CriuOptions options, Action<string, int, FileDescriptor?>? onEvent) => Require(Ask(CriuKind.Dump, options, onEvent), "dump the container's processes");

    /// <summary>Writes images of memory alone, while the processes run.</summary>
    /// <exception cref="CriuException">It failed; the processes run on.</exception>
    public void PreDump(CriuOptions options) => Require(Ask(CriuKind.PreDump, options, null), "dump the memory of the container's processes");

    /// <summary>Makes the processes of images again; the first is a child of ours.</summary>
    /// <param name="options">How.</param>
    /// <param name="onEvent">Told what is reached, with a process id or a descriptor (the caller's then) if there is one. What it throws ends the restore.</param>
    /// <exception cref="CriuException">It failed, and has ended what it had made.</exception>
    public void Restore(CriuOptions options, Action<string, int, FileDescriptor?> onEvent) => Require(Ask(CriuKind.Restore, options, onEvent), "restore the container's processes");

    public void Dispose()
    {
        // The end of the connection ends it if it waits for a request.
        _socket.Dispose();
        if (!_ended)
        {
            // Our child, not yet reaped, so the id is still its own.
            ProcessSyscalls.Kill(Pid, SignalNumber.Kill);
            Reap();
        }

        _said.Dispose();
    }

    private static string SearchPath => $"{Environment.GetEnvironmentVariable("PATH")}:{DefaultPath}";

    private static WherryException Missing(string name) =>
        WherryException.Unsupported($"checkpoint and restore need CRIU (criu.org), and there is no program {name}: apt-get install criu");

    // It runs ip, iptables and tar.
    private static IReadOnlyList<string> ItsEnvironment() =>
        [$"PATH={SearchPath}", .. OwnEnvironment.Entries().Where(entry => !entry.StartsWith("PATH=", StringComparison.Ordinal))];

    private CriuAnswer Ask(CriuKind kind, CriuOptions? options, Action<string, int, FileDescriptor?>? onEvent, bool keepsOpen = false, int feature = 0)
    {
        Send(request =>
        {
            request.Number(1, (long)kind);
            if (options is not null)
            {
                request.Message(2, options.WriteTo);
            }

            request.Flag(4, keepsOpen);
            if (feature > 0)
            {
                request.Message(5, features => features.Flag(feature, true));
            }
        });
        ExceptionDispatchInfo? failure = null;
        var buffer = new byte[LargestMessage];
        while (true)
        {
            WaitForMessage();
            var length = UnixSockets.ReceiveMessage(_socket, buffer, wait: true, out var attachment);
            if (length <= 0)
            {
                attachment?.Dispose();
                throw Broken();
            }

            var answer = CriuAnswer.Parse(buffer.AsSpan(0, length));
            if (answer.Kind != CriuKind.Notify)
            {
                attachment?.Dispose();
                failure?.Throw();
                return answer;
            }

            failure ??= Tell(onEvent, answer, attachment);
            Send(request =>
            {
                request.Number(1, (long)CriuKind.Notify);
                request.Flag(3, failure is null);
            });
        }
    }

    private void WaitForMessage()
    {
        if (_givesUpWith is not var (process, signals))
        {
            return;
        }

        using var poll = new EventPoll();
        poll.Watch(_socket.Number, PollEvents.Readable, 0);
        poll.Watch(signals.Number, PollEvents.Readable, 1);
        int count;
        while ((count = poll.Wait(LookAtProcess)) == 0)
        {
            if (!HasMemory(process) && poll.Wait(PatienceWithAnswer) == 0)
            {
                throw new CriuException("CRIU was ended: the container was, before all of its memory had been fetched");
            }
        }

        if (count == 1 && poll[0].Tag == 1)
        {
            throw new CriuException("CRIU was ended: the command was told to end");
        }
    }

    // A first process that was killed has not ended, for a pidfd or its parent, until CRIU lets go of what it traces below it.
    private static bool HasMemory(int pid) =>
        FileSyscalls.TryReadText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/statm") is { } pages && !pages.StartsWith("0 ", StringComparison.Ordinal);

    private static ExceptionDispatchInfo? Tell(Action<string, int, FileDescriptor?>? onEvent, CriuAnswer notice, FileDescriptor? attachment)
    {
        try
        {
            onEvent?.Invoke(notice.Event, notice.Pid, attachment);
            return null;
        }
        catch (Exception e)
        {
            // Thrown when CRIU has undone what it did.
            return ExceptionDispatchInfo.Capture(e);
        }
    }

    private void Send(Action<ProtobufWriter> write)
    {
        var message = new ProtobufWriter();
        write(message);
        try
        {
            UnixSockets.SendMessage(_socket, message.Written);
        }
        catch (LinuxException e) when (e.ErrorNumber is Errno.EPIPE or Errno.ECONNRESET)
        {
            throw Broken();
        }
    }

    private void Require(CriuAnswer answer, string doing)
    {
        // Done or not, it is at its end, and what it has said is complete then.
        _socket.Dispose();
        Reap();
        if (!answer.Success)
        {
            var why = CriuLog.Errors(answer.Error ?? "");
            throw new CriuException($"CRIU could not {doing}{(why.Length > 0 ? ": " + why : Said())}");
        }
    }

    private CriuException Broken()
    {
        Reap();
        return new CriuException($"CRIU ended before it had answered{Said()}");
    }

    private string Said()
    {
        FileSyscalls.Rewind(_said);
        var text = Encoding.UTF8.GetString(FileSyscalls.ReadToEnd(_said, LargestMessage)).Trim();
        var errors = CriuLog.Errors(text) is { Length: > 0 } marked ? marked : text;
        return errors.Length == 0 ? "" : ": " + errors;
    }

    private void Reap()
    {
        if (!_ended)
        {
            _ended = true;
            ProcessSyscalls.Wait(Pid, block: true);
        }
    }
}
