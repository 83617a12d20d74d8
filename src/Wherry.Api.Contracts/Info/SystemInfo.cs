using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Info;

/// <summary>Answer of <c>GET /info</c>.</summary>
public sealed record SystemInfo
{
    public string ID { get; init => field = value ?? ""; } = "";

    public int Containers { get; init; }

    public int ContainersRunning { get; init; }

    public int ContainersPaused { get; init; }

    public int ContainersStopped { get; init; }

    public int Images { get; init; }

    public string Driver { get; init => field = value ?? ""; } = "";

    /// <summary>Pairs of name and value.</summary>
    public IReadOnlyList<IReadOnlyList<string>> DriverStatus { get; init => field = value ?? []; } = [];

    public string DockerRootDir { get; init => field = value ?? ""; } = "";

    public PluginsInfo Plugins { get; init => field = value ?? new(); } = new();

    public bool MemoryLimit { get; init; }

    public bool SwapLimit { get; init; }

    public bool CpuCfsPeriod { get; init; }

    public bool CpuCfsQuota { get; init; }

    public bool CPUShares { get; init; }

    public bool CPUSet { get; init; }

    public bool PidsLimit { get; init; }

    public bool OomKillDisable { get; init; }

    public bool IPv4Forwarding { get; init; }

    /// <summary>Kept true for clients of API 1.49 and older, which warn otherwise about a kernel module Wherry has no use for.</summary>
    public bool BridgeNfIptables { get; init; }

    public bool BridgeNfIp6tables { get; init; }

    public bool Debug { get; init; }

    public int NFd { get; init; }

    /// <summary>The name is Docker's; here it counts threads.</summary>
    public int NGoroutines { get; init; }

    public string SystemTime { get; init => field = value ?? ""; } = "";

    public string LoggingDriver { get; init => field = value ?? ""; } = "";

    public string CgroupDriver { get; init => field = value ?? ""; } = "";

    public string CgroupVersion { get; init => field = value ?? ""; } = "";

    public int NEventsListener { get; init; }

    public string KernelVersion { get; init => field = value ?? ""; } = "";

    public string OperatingSystem { get; init => field = value ?? ""; } = "";

    public string OSVersion { get; init => field = value ?? ""; } = "";

    public string OSType { get; init => field = value ?? ""; } = "";

    public string Architecture { get; init => field = value ?? ""; } = "";

    public string IndexServerAddress { get; init => field = value ?? ""; } = "";

    public RegistryServiceConfig? RegistryConfig { get; init; }

    public int NCPU { get; init; }

    /// <summary>Bytes.</summary>
    public long MemTotal { get; init; }

    public string HttpProxy { get; init => field = value ?? ""; } = "";

    public string HttpsProxy { get; init => field = value ?? ""; } = "";

    public string NoProxy { get; init => field = value ?? ""; } = "";

    /// <summary>The host's name.</summary>
    public string Name { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string> Labels { get; init => field = value ?? []; } = [];

    public bool ExperimentalBuild { get; init; }

    public string ServerVersion { get; init => field = value ?? ""; } = "";

    public Dictionary<string, RuntimeInfo> Runtimes { get; init => field = value ?? []; } = [];

    public string DefaultRuntime { get; init => field = value ?? ""; } = "";

    public SwarmInfo Swarm { get; init => field = value ?? new(); } = new();

    public bool LiveRestoreEnabled { get; init; }

    public string Isolation { get; init => field = value ?? ""; } = "";

    public string InitBinary { get; init => field = value ?? ""; } = "";

    public CommitInfo ContainerdCommit { get; init => field = value ?? new(); } = new();

    public CommitInfo RuncCommit { get; init => field = value ?? new(); } = new();

    public CommitInfo InitCommit { get; init => field = value ?? new(); } = new();

    public IReadOnlyList<string> SecurityOptions { get; init => field = value ?? []; } = [];

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? ProductLicense { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public FirewallInfo? FirewallBackend { get; init; }

    public IReadOnlyList<string> Warnings { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> CDISpecDirs { get; init => field = value ?? []; } = [];
}

/// <summary>Drivers by kind.</summary>
public sealed record PluginsInfo
{
    public IReadOnlyList<string> Volume { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string> Network { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string>? Authorization { get; init; }

    public IReadOnlyList<string> Log { get; init => field = value ?? []; } = [];
}

/// <summary>An OCI runtime the engine can use.</summary>
public sealed record RuntimeInfo
{
    [JsonPropertyName("path")]
    public string Path { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("runtimeArgs")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<string>? RuntimeArgs { get; init; }

    [JsonPropertyName("status")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, string>? Status { get; init; }
}

/// <summary>The version of a component, by commit.</summary>
public sealed record CommitInfo
{
    public string ID { get; init => field = value ?? ""; } = "";

    /// <summary>The commit clients up to API 1.41 compare with.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Expected { get; init; }
}

/// <summary>What filters packets, and details as pairs.</summary>
public sealed record FirewallInfo
{
    public string Driver { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<IReadOnlyList<string>>? Info { get; init; }
}

/// <summary>Swarm state; Wherry is never part of a swarm.</summary>
public sealed record SwarmInfo
{
    public string NodeID { get; init => field = value ?? ""; } = "";

    public string NodeAddr { get; init => field = value ?? ""; } = "";

    public string LocalNodeState { get; init => field = value ?? ""; } = "";

    public bool ControlAvailable { get; init; }

    public string Error { get; init => field = value ?? ""; } = "";
}

/// <summary>How registries are reached.</summary>
public sealed record RegistryServiceConfig
{
    public IReadOnlyList<string> InsecureRegistryCIDRs { get; init => field = value ?? []; } = [];

    public Dictionary<string, IndexInfo> IndexConfigs { get; init => field = value ?? []; } = [];

    public IReadOnlyList<string>? Mirrors { get; init; }
}

/// <summary>One registry.</summary>
public sealed record IndexInfo
{
    public string Name { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string> Mirrors { get; init => field = value ?? []; } = [];

    public bool Secure { get; init; }

    public bool Official { get; init; }
}
