using System.Text.Json.Serialization;

namespace Wherry.Oci.Runtime;

/// <summary>The program of a container or of an exec (config.md, "Process").</summary>
public sealed record Process
{
    public bool Terminal { get; init; }

    public ConsoleSize? ConsoleSize { get; init; }

    public User User { get; init; } = new();

    public IReadOnlyList<string> Args { get; init; } = [];

    public IReadOnlyList<string> Env { get; init; } = [];

    public string Cwd { get; init; } = "/";

    public Capabilities? Capabilities { get; init; }

    public IReadOnlyList<Rlimit> Rlimits { get; init; } = [];

    public bool NoNewPrivileges { get; init; }

    [JsonPropertyName("oomScoreAdj")]
    public int? OomScoreAdj { get; init; }

    public string? ApparmorProfile { get; init; }

    public string? SelinuxLabel { get; init; }

    public Scheduler? Scheduler { get; init; }

    [JsonPropertyName("ioPriority")]
    public IoPriority? IoPriority { get; init; }

    [JsonPropertyName("execCPUAffinity")]
    public ExecCpuAffinity? ExecCpuAffinity { get; init; }
}

/// <summary>How the kernel schedules the program (sched_setattr(2)).</summary>
public sealed record Scheduler
{
    /// <summary>By name such as <c>SCHED_FIFO</c>.</summary>
    public string Policy { get; init; } = "";

    public int Nice { get; init; }

    public int Priority { get; init; }

    /// <summary>By name such as <c>SCHED_FLAG_RESET_ON_FORK</c>.</summary>
    public IReadOnlyList<string> Flags { get; init; } = [];

    /// <summary>Nanoseconds, as the next two; for <c>SCHED_DEADLINE</c>.</summary>
    public ulong Runtime { get; init; }

    public ulong Deadline { get; init; }

    public ulong Period { get; init; }
}

/// <param name="Class">By name such as <c>IOPRIO_CLASS_BE</c> (ioprio_set(2)).</param>
/// <param name="Priority">0 (highest) to 7.</param>
public sealed record IoPriority(string Class, int Priority);

/// <summary>Which processors an exec may use, as lists such as <c>0-3,7</c>; not for a container's first program.</summary>
/// <param name="Initial">Before it joins the container's cgroup.</param>
/// <param name="Final">After that.</param>
public sealed record ExecCpuAffinity(string? Initial, string? Final);

public sealed record ConsoleSize(int Height, int Width);

public sealed record User
{
    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public uint? Umask { get; init; }

    public IReadOnlyList<uint> AdditionalGids { get; init; } = [];
}

/// <summary>The five capability sets (capabilities(7)), by name such as <c>CAP_CHOWN</c>.</summary>
public sealed record Capabilities
{
    public IReadOnlyList<string> Effective { get; init; } = [];

    public IReadOnlyList<string> Bounding { get; init; } = [];

    public IReadOnlyList<string> Inheritable { get; init; } = [];

    public IReadOnlyList<string> Permitted { get; init; } = [];

    public IReadOnlyList<string> Ambient { get; init; } = [];
}

/// <param name="Type">By name such as <c>RLIMIT_NOFILE</c> (getrlimit(2)).</param>
/// <param name="Soft">The soft limit; all ones for infinity.</param>
/// <param name="Hard">The hard limit; all ones for infinity.</param>
public sealed record Rlimit(string Type, ulong Soft, ulong Hard);
