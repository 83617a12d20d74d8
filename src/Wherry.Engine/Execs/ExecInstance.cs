using Wherry.Api.Contracts.Execs;
using Wherry.Engine.Containers;
using Wherry.Runtime.Contracts;

namespace Wherry.Engine.Execs;

internal enum ExecStatus
{
    /// <summary>Made, not started.</summary>
    Created,

    /// <summary>A start is under way or the program runs.</summary>
    Running,

    /// <summary>The program ended, or could not be started.</summary>
    Ended,
}

/// <summary>One program asked for in a container; lives in memory until some time after its container's end.</summary>
internal sealed class ExecInstance(string id, Container container, ExecCreateRequest request)
{
    private int _status;

    public string Id { get; } = id;

    public Container Container { get; } = container;

    public ExecCreateRequest Request { get; } = request;

    public IExecProcess? Process { get; set; }

    public int? ExitCode { get; private set; }

    public DateTimeOffset? EndedAt { get; private set; }

    public ExecStatus Status => (ExecStatus)Volatile.Read(ref _status);

    /// <summary>Only one start ever succeeds.</summary>
    public bool TryBegin() =>
        Interlocked.CompareExchange(ref _status, (int)ExecStatus.Running, (int)ExecStatus.Created) == (int)ExecStatus.Created;

    public void End(int exitCode)
    {
        ExitCode = exitCode;
        EndedAt = DateTimeOffset.UtcNow;
        Volatile.Write(ref _status, (int)ExecStatus.Ended);
    }
}
