using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Contracts;

/// <summary>
/// A container's live side, held by its supervisor. Disposing closes the engine's connection; the container
/// goes on.
/// </summary>
public interface ISandbox : IAsyncDisposable
{
    string Id { get; }

    /// <summary>The first process's id on the host; null where the program is not a host process.</summary>
    int? HostPid { get; }

    /// <summary>
    /// A path through which the sandbox's own network namespace can be opened while it lives; null when it
    /// uses the host's or has been made to join another's.
    /// </summary>
    string? NetworkNamespacePath { get; }

    /// <summary>
    /// When the user's program was executed; null before. A sandbox re-adopted with null was made by an engine
    /// that died before starting it.
    /// </summary>
    DateTimeOffset? StartedAt { get; }

    /// <summary>What was clipped to what the host can give, in words for the user; complete once <see cref="StartAsync"/> has returned.</summary>
    IReadOnlyList<string> Warnings { get; }

    /// <summary>Completes once, when the container's program has ended and its output is drained into the log.</summary>
    Task<ExitRecord> Exit { get; }

    /// <summary>Runs the user's program. Returns when it has been executed.</summary>
    /// <exception cref="SandboxStartException">The program could not be executed (126, 127) or a step before failed (128).</exception>
    Task StartAsync(CancellationToken cancel);

    /// <param name="signal">Signal number (signal(7)).</param>
    /// <param name="all">Every process in the container rather than the first one.</param>
    /// <param name="cancel">Gives up waiting for the supervisor's answer.</param>
    Task SignalAsync(int signal, bool all, CancellationToken cancel);

    /// <summary>Sets the terminal's size; without a terminal an error.</summary>
    Task ResizeAsync(int rows, int columns, CancellationToken cancel);

    /// <summary>
    /// A connection to the program's streams from this moment on. Without a terminal, output comes in Docker's
    /// multiplexed frames (stream type, three zero bytes, big-endian length, payload); with one, raw.
    /// </summary>
    Task<IStreamConnection> AttachAsync(StreamSelection streams, CancellationToken cancel);

    /// <summary>Runs another program inside.</summary>
    /// <exception cref="SandboxStartException">The program could not be executed (126, 127) or a step before failed.</exception>
    Task<IExecProcess> ExecAsync(ExecRequest request, CancellationToken cancel);

    /// <summary>Freezes every process of the container (cgroup freezer).</summary>
    Task PauseAsync(CancellationToken cancel);

    Task ResumeAsync(CancellationToken cancel);

    /// <summary>The ids, inside the host's pid namespace, of the container's processes.</summary>
    Task<IReadOnlyList<int>> ListProcessesAsync(CancellationToken cancel);
}

/// <summary>A program run by <see cref="ISandbox.ExecAsync"/>.</summary>
public interface IExecProcess : IAsyncDisposable
{
    int Pid { get; }

    /// <summary>The program's streams; null when none was asked for.</summary>
    IStreamConnection? Streams { get; }

    /// <summary>Exit code, 128 + signal number when a signal ended it.</summary>
    Task<int> Exit { get; }

    Task ResizeAsync(int rows, int columns, CancellationToken cancel);
}

/// <summary>A duplex connection to a program's streams, owned by whoever asked for it.</summary>
public interface IStreamConnection : IAsyncDisposable
{
    /// <summary>Reads the program's output (to the end of stream once it has ended), writes its input.</summary>
    Stream Stream { get; }

    /// <summary>Says that no more input follows; output still comes.</summary>
    void CompleteInput();
}

/// <summary>Which of the three streams a connection carries.</summary>
public sealed record StreamSelection(bool Stdin, bool Stdout, bool Stderr)
{
    public static readonly StreamSelection None = new(false, false, false);

    public bool Any => Stdin || Stdout || Stderr;
}

/// <param name="Process">What to run; its <c>User</c> is overruled by <paramref name="User"/> where that is given.</param>
/// <param name="User">Docker's <c>user[:group]</c>, names or numbers, looked up inside the container.</param>
/// <param name="Streams">Streams to connect; those not named are /dev/null.</param>
/// <param name="Detach">Don't connect streams; the program runs on its own.</param>
public sealed record ExecRequest(Process Process, string? User, StreamSelection Streams, bool Detach);
