namespace Wherry.Oci.Runtime;

/// <summary>The Linux part of a bundle's configuration (config-linux.md).</summary>
public sealed record LinuxConfig
{
    public IReadOnlyList<IdMapping> UidMappings { get; init; } = [];

    public IReadOnlyList<IdMapping> GidMappings { get; init; } = [];

    public IReadOnlyList<Namespace> Namespaces { get; init; } = [];

    public IReadOnlyList<Device> Devices { get; init; } = [];

    public string? CgroupsPath { get; init; }

    public Resources? Resources { get; init; }

    public IReadOnlyDictionary<string, string>? Sysctl { get; init; }

    /// <summary><c>slave</c>, <c>private</c>, <c>shared</c> or <c>unbindable</c>.</summary>
    public string? RootfsPropagation { get; init; }

    public IReadOnlyList<string> MaskedPaths { get; init; } = [];

    public IReadOnlyList<string> ReadonlyPaths { get; init; } = [];

    public string? MountLabel { get; init; }

    /// <summary>By clock, <c>monotonic</c> or <c>boottime</c>: how far a new time namespace is from the host's.</summary>
    public IReadOnlyDictionary<string, TimeOffset>? TimeOffsets { get; init; }

    public Personality? Personality { get; init; }

    /// <summary>Network interfaces of the host's, by name, that become the container's.</summary>
    public IReadOnlyDictionary<string, NetDevice>? NetDevices { get; init; }

    public IntelRdt? IntelRdt { get; init; }

    public MemoryPolicy? MemoryPolicy { get; init; }

    public SeccompConfig? Seccomp { get; init; }
}

public sealed record TimeOffset(long Secs, uint Nanosecs);

/// <param name="Domain"><c>LINUX</c> or <c>LINUX32</c> (personality(2)).</param>
/// <param name="Flags">The specification names none.</param>
public sealed record Personality(string Domain, IReadOnlyList<string> Flags);

/// <param name="Name">The interface's name inside; null or empty keeps it.</param>
public sealed record NetDevice(string? Name);

/// <summary>Intel's cache and memory bandwidth allocation (resctrl).</summary>
public sealed record IntelRdt
{
    public string? ClosID { get; init; }

    public IReadOnlyList<string> Schemata { get; init; } = [];

    public string? L3CacheSchema { get; init; }

    public string? MemBwSchema { get; init; }

    public bool EnableMonitoring { get; init; }
}

/// <summary>From which memory nodes the program's memory comes (set_mempolicy(2)).</summary>
/// <param name="Mode">By name such as <c>MPOL_BIND</c>.</param>
/// <param name="Nodes">A list such as <c>0-1</c>.</param>
/// <param name="Flags">By name such as <c>MPOL_F_STATIC_NODES</c>.</param>
public sealed record MemoryPolicy(string Mode, string? Nodes, IReadOnlyList<string> Flags);

public sealed record IdMapping(uint ContainerID, uint HostID, uint Size);

/// <param name="Type"><c>pid</c>, <c>network</c>, <c>mount</c>, <c>ipc</c>, <c>uts</c>, <c>user</c>, <c>cgroup</c> or <c>time</c>.</param>
/// <param name="Path">A namespace to join; null makes a new one.</param>
public sealed record Namespace(string Type, string? Path = null);

/// <summary>A device node to make (config-linux.md, "Devices").</summary>
public sealed record Device
{
    public required string Path { get; init; }

    /// <summary><c>c</c>, <c>b</c>, <c>u</c> or <c>p</c>.</summary>
    public required string Type { get; init; }

    public long Major { get; init; }

    public long Minor { get; init; }

    public uint? FileMode { get; init; }

    public uint? Uid { get; init; }

    public uint? Gid { get; init; }
}
