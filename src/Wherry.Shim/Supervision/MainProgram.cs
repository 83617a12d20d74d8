using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Processes;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Shim.Logs;
using Wherry.Shim.Streams;

namespace Wherry.Shim.Supervision;

/// <summary>Where the container's own program stands; changed only by the supervisor.</summary>
public enum ProgramState
{
    /// <summary>Its stage makes mounts and the like.</summary>
    Preparing,

    /// <summary>Its stage waits for the word.</summary>
    Ready,

    /// <summary>The word was given; the stage has not yet become the program.</summary>
    Starting,

    /// <summary>The program runs.</summary>
    Running,

    /// <summary>It has ended, or never ran.</summary>
    Ended,
}

/// <summary>The container's first process and what belongs to it.</summary>
public sealed class MainProgram(LaunchOrder order, int pid, FileDescriptor channel, ProgramStreams streams, JsonLog? log, CgroupDirectories cgroup, CloneFlags namespaces)
{
    public LaunchOrder Order => order;

    public int Pid => pid;

    /// <summary>To the stage; closed once it has become the program.</summary>
    public FileDescriptor Channel => channel;

    public ProgramStreams Streams => streams;

    public JsonLog? Log => log;

    public CgroupDirectories Cgroup => cgroup;

    public CloneFlags Namespaces => namespaces;

    public bool OwnsNetworkNamespace => order.Namespaces.Any(ns => ns is { Type: "network", Path: null });

    /// <summary>A pid namespace was made for it, so the kernel ends all in it with the first process.</summary>
    public bool OwnsPidNamespace => order.Namespaces.Any(ns => ns is { Type: "pid", Path: null or "" });

    /// <summary>The host, or the user, has a cgroup for it; without one limits, pausing and counting are out.</summary>
    public bool HasCgroup => cgroup.All.Any();

    /// <summary>All its processes, also those of execs: what is in its cgroup, or, without one, in its pid namespace.</summary>
    public IReadOnlyList<int> Processes() => HasCgroup ? cgroup.Processes() : OwnsPidNamespace ? PidNamespace.ProcessesWith(pid) : [pid];

    public ProgramState State { get; set; } = ProgramState.Preparing;

    public DateTimeOffset? StartedAt { get; set; }

    public IReadOnlyList<string> Warnings { get; set; } = [];

    /// <summary>Why the program could not be run.</summary>
    public FailedAnswer? Failure { get; set; }
}

/// <summary>A program run by an exec.</summary>
/// <param name="Token">The engine's name for it.</param>
public sealed record ExecProgram(uint Token, int Pid, ProgramStreams Streams);
