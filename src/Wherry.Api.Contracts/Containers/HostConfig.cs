using System.Text.Json.Serialization;
using Wherry.Api.Contracts.Networks;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Containers;

/// <summary>What a container asks of this host. Persisted as the client sent it and given back by inspect.</summary>
public sealed record HostConfig : Resources
{
    /// <summary><c>source:destination[:options]</c>; a source without a leading slash names a volume.</summary>
    public IReadOnlyList<string>? Binds { get; init; }

    public string ContainerIDFile { get; init => field = value ?? ""; } = "";

    public LogConfig LogConfig { get; init => field = value ?? new(); } = new();

    /// <summary><c>default</c>, <c>bridge</c>, <c>none</c>, <c>host</c>, <c>container:ID</c>, or a network's name.</summary>
    public string NetworkMode { get; init => field = value ?? ""; } = "";

    /// <summary>Keys are <c>port/protocol</c>; a null or empty list publishes on a port of the engine's choice.</summary>
    public Dictionary<string, IReadOnlyList<PortBinding>?>? PortBindings { get; init; }

    public RestartPolicy RestartPolicy { get; init => field = value ?? new(); } = new();

    public bool AutoRemove { get; init; }

    public string VolumeDriver { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string>? VolumesFrom { get; init; }

    /// <summary>Rows and columns of the terminal at creation.</summary>
    public IReadOnlyList<int>? ConsoleSize { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, string>? Annotations { get; init; }

    public IReadOnlyList<string>? CapAdd { get; init; }

    public IReadOnlyList<string>? CapDrop { get; init; }

    /// <summary><c>private</c>, <c>host</c>, or empty for the engine's default.</summary>
    public string CgroupnsMode { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string>? Dns { get; init; }

    public IReadOnlyList<string>? DnsOptions { get; init; }

    public IReadOnlyList<string>? DnsSearch { get; init; }

    /// <summary><c>name:address</c> lines for the container's hosts file.</summary>
    public IReadOnlyList<string>? ExtraHosts { get; init; }

    public IReadOnlyList<string>? GroupAdd { get; init; }

    /// <summary><c>none</c>, <c>private</c>, <c>shareable</c>, <c>host</c> or <c>container:ID</c>.</summary>
    public string IpcMode { get; init => field = value ?? ""; } = "";

    public string Cgroup { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string>? Links { get; init; }

    public int OomScoreAdj { get; init; }

    /// <summary>Empty, <c>host</c> or <c>container:ID</c>.</summary>
    public string PidMode { get; init => field = value ?? ""; } = "";

    public bool Privileged { get; init; }

    public bool PublishAllPorts { get; init; }

    public bool ReadonlyRootfs { get; init; }

    public IReadOnlyList<string>? SecurityOpt { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, string>? StorageOpt { get; init; }

    /// <summary>Path inside the container to mount options.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, string>? Tmpfs { get; init; }

    public string UTSMode { get; init => field = value ?? ""; } = "";

    public string UsernsMode { get; init => field = value ?? ""; } = "";

    /// <summary>Bytes of <c>/dev/shm</c>; zero for the default.</summary>
    public long ShmSize { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, string>? Sysctls { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Runtime { get; init; }

    public string Isolation { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<Mount>? Mounts { get; init; }

    /// <summary>Null for the default list, empty for none.</summary>
    public IReadOnlyList<string>? MaskedPaths { get; init; }

    /// <summary>Null for the default list, empty for none.</summary>
    public IReadOnlyList<string>? ReadonlyPaths { get; init; }

    /// <summary>Run an init that reaps and forwards signals; null for the engine's default.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public bool? Init { get; init; }
}

/// <summary>The log driver and its options.</summary>
public sealed record LogConfig
{
    public string Type { get; init => field = value ?? ""; } = "";

    public Dictionary<string, string>? Config { get; init; }
}

/// <summary>What to do when a container's program ends by itself.</summary>
public sealed record RestartPolicy
{
    /// <summary>Empty or <c>no</c>, <c>always</c>, <c>unless-stopped</c>, <c>on-failure</c>.</summary>
    public string Name { get; init => field = value ?? ""; } = "";

    public int MaximumRetryCount { get; init; }
}
