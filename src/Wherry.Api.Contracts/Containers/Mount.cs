using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Containers;

/// <summary>A mount as asked for with <c>--mount</c>.</summary>
public sealed record Mount
{
    /// <summary><c>bind</c>, <c>volume</c>, <c>tmpfs</c>, <c>image</c>, <c>npipe</c> or <c>cluster</c>.</summary>
    public string Type { get; init => field = value ?? ""; } = "";

    /// <summary>A host path, or a volume's name; empty for an anonymous volume or a tmpfs.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Source { get; init; }

    public string Target { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingDefault)]
    public bool ReadOnly { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Consistency { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public BindOptions? BindOptions { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public VolumeOptions? VolumeOptions { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public ImageOptions? ImageOptions { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public TmpfsOptions? TmpfsOptions { get; init; }
}

/// <summary>Options of a bind mount.</summary>
public sealed record BindOptions
{
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Propagation { get; init; }

    [JsonIgnore(Condition = WhenWritingDefault)]
    public bool NonRecursive { get; init; }

    [JsonIgnore(Condition = WhenWritingDefault)]
    public bool CreateMountpoint { get; init; }

    [JsonIgnore(Condition = WhenWritingDefault)]
    public bool ReadOnlyNonRecursive { get; init; }

    [JsonIgnore(Condition = WhenWritingDefault)]
    public bool ReadOnlyForceRecursive { get; init; }
}

/// <summary>Options of a volume mount.</summary>
public sealed record VolumeOptions
{
    [JsonIgnore(Condition = WhenWritingDefault)]
    public bool NoCopy { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, string>? Labels { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Subpath { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public VolumeDriverConfig? DriverConfig { get; init; }
}

/// <summary>The driver that makes a volume.</summary>
public sealed record VolumeDriverConfig
{
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Name { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, string>? Options { get; init; }
}

/// <summary>Options of an image mount.</summary>
public sealed record ImageOptions
{
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Subpath { get; init; }
}

/// <summary>Options of a tmpfs mount.</summary>
public sealed record TmpfsOptions
{
    /// <summary>Bytes; zero for no limit.</summary>
    [JsonIgnore(Condition = WhenWritingDefault)]
    public long SizeBytes { get; init; }

    /// <summary>Permission bits as a decimal number; zero for 01777.</summary>
    [JsonIgnore(Condition = WhenWritingDefault)]
    public int Mode { get; init; }

    /// <summary>Each entry is a flag, or a key and its value.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<IReadOnlyList<string>>? Options { get; init; }
}

/// <summary>A mount as a container has it.</summary>
public sealed record MountPoint
{
    public string Type { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Name { get; init; }

    public string Source { get; init => field = value ?? ""; } = "";

    public string Destination { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? Driver { get; init; }

    public string Mode { get; init => field = value ?? ""; } = "";

    public bool RW { get; init; }

    public string Propagation { get; init => field = value ?? ""; } = "";
}
