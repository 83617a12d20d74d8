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
}

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
