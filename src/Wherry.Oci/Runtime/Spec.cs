namespace Wherry.Oci.Runtime;

/// <summary>A bundle's <c>config.json</c> (runtime-spec 1.2, config.md).</summary>
public sealed record Spec
{
    public string OciVersion { get; init; } = "1.2.0";

    public Process? Process { get; init; }

    public Root? Root { get; init; }

    public string? Hostname { get; init; }

    public string? Domainname { get; init; }

    public IReadOnlyList<Mount> Mounts { get; init; } = [];

    public Hooks? Hooks { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    public LinuxConfig? Linux { get; init; }
}

public sealed record Root
{
    public required string Path { get; init; }

    public bool Readonly { get; init; }
}

/// <summary>A mount below the root, made in list order (config.md, "Mounts").</summary>
public sealed record Mount
{
    public required string Destination { get; init; }

    public string? Type { get; init; }

    public string? Source { get; init; }

    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>How the ids of the file system's owners are shown through this mount (an id-mapped mount); empty leaves them.</summary>
    public IReadOnlyList<IdMapping> UidMappings { get; init; } = [];

    public IReadOnlyList<IdMapping> GidMappings { get; init; } = [];
}

public sealed record Hooks
{
    public IReadOnlyList<Hook> Prestart { get; init; } = [];

    public IReadOnlyList<Hook> CreateRuntime { get; init; } = [];

    public IReadOnlyList<Hook> CreateContainer { get; init; } = [];

    public IReadOnlyList<Hook> StartContainer { get; init; } = [];

    public IReadOnlyList<Hook> Poststart { get; init; } = [];

    public IReadOnlyList<Hook> Poststop { get; init; } = [];
}

public sealed record Hook
{
    public required string Path { get; init; }

    public IReadOnlyList<string> Args { get; init; } = [];

    /// <summary>Null, other than an empty list, leaves the hook the environment of where it is run.</summary>
    public IReadOnlyList<string>? Env { get; init; }

    /// <summary>Seconds.</summary>
    public int? Timeout { get; init; }
}
