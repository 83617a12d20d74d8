namespace Wherry.Api.Contracts.Security;

/// <summary>What protects a container, and what an attacker in it would try first. Not one of Docker's answers.</summary>
public sealed record ContainerSecurity
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary>Read back from the running program; otherwise only what it is to get.</summary>
    public bool Running { get; init; }

    /// <summary>As the program runs, <c>uid:gid</c> inside its user namespace; null while it does not run.</summary>
    public string? User { get; init; }

    /// <summary>Asked for with <c>--privileged</c>.</summary>
    public bool Privileged { get; init; }

    public required IReadOnlyList<NamespaceState> Namespaces { get; init; }

    /// <summary>User ids inside and outside, as in /proc/PID/uid_map; empty where they are the host's and it does not run.</summary>
    public IReadOnlyList<string> UserMappings { get; init; } = [];

    /// <summary>Those the program could ever have.</summary>
    public required IReadOnlyList<string> Capabilities { get; init; }

    public bool NoNewPrivileges { get; init; }

    /// <summary><c>builtin</c>, <c>custom</c>, or <c>none</c>.</summary>
    public required string Seccomp { get; init; }

    /// <summary>A profile's or label's name; empty without.</summary>
    public string AppArmor { get; init; } = "";

    /// <summary>Signals and tracing end at the container's border, whatever it gets to see beyond (Landlock).</summary>
    public bool SignalScope { get; init; }

    public string SelinuxLabel { get; init; } = "";

    public bool ReadonlyRootfs { get; init; }

    /// <summary>Set-user-ID programs of the image have no effect.</summary>
    public bool NoSuidRoot { get; init; }

    public int MaskedPaths { get; init; }

    public int ReadonlyPaths { get; init; }

    public required IReadOnlyList<WritableMount> WritableMounts { get; init; }

    /// <summary>Devices of the host's it was given.</summary>
    public required IReadOnlyList<string> Devices { get; init; }

    /// <summary>Worst first.</summary>
    public required IReadOnlyList<SecurityFinding> Findings { get; init; }
}

/// <param name="Type">As the kernel calls it: <c>pid</c>, <c>mnt</c>, <c>net</c> …</param>
/// <param name="Owner"><c>own</c>, <c>host</c>, or <c>container</c> where it is another's.</param>
/// <param name="SharedWith">Names of other containers that are in it; null without any, and for the host's.</param>
public sealed record NamespaceState(string Type, string Owner, IReadOnlyList<string>? SharedWith = null);

/// <param name="Destination">Inside.</param>
/// <param name="Source">On the host; empty for memory.</param>
/// <param name="Type"><c>bind</c>, <c>volume</c> or <c>tmpfs</c>.</param>
public sealed record WritableMount(string Destination, string Source, string Type);

/// <param name="Grade"><c>critical</c>, <c>high</c>, <c>medium</c> or <c>low</c>.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Attack">What it would be used for.</param>
/// <param name="Fix">The option that would take it away.</param>
public sealed record SecurityFinding(string Grade, string Subject, string Attack, string Fix);
