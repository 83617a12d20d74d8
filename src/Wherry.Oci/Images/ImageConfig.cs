using System.Text.Json.Serialization;

namespace Wherry.Oci.Images;

/// <summary>An image's configuration (image-spec, config.md) with the fields Docker adds. Its digest is the image's ID.</summary>
public sealed record ImageConfig
{
    public DateTimeOffset? Created { get; init; }

    public string? Author { get; init; }

    // Source-generated readers set every init property, absent ones to null: the default must come from the getter.
    public string Architecture { get => field ?? ""; init; } = "";

    public string Os { get => field ?? ""; init; } = "";

    [JsonPropertyName("os.version")]
    public string? OsVersion { get; init; }

    public string? Variant { get; init; }

    public ExecutionParameters? Config { get; init; }

    /// <summary>Docker: the container the image was committed from.</summary>
    public string? Container { get; init; }

    /// <summary>Docker: that container's configuration.</summary>
    [JsonPropertyName("container_config")]
    public ExecutionParameters? ContainerConfig { get; init; }

    /// <summary>Docker: the version of the engine that made the image.</summary>
    [JsonPropertyName("docker_version")]
    public string? DockerVersion { get; init; }

    /// <summary>Docker: the commit message.</summary>
    public string? Comment { get; init; }

    [JsonPropertyName("rootfs")]
    public RootFs RootFs { get => field ?? new RootFs(); init; } = new();

    public IReadOnlyList<History> History { get => field ?? []; init; } = [];

    /// <summary>What it runs on.</summary>
    [JsonIgnore]
    public Platform Platform => new() { Os = Os, Architecture = Architecture, Variant = Variant, OsVersion = OsVersion };
}

/// <summary>The layers, lowest first, by digest of their uncompressed archives.</summary>
public sealed record RootFs
{
    public string Type { get => field ?? "layers"; init; } = "layers";

    [JsonPropertyName("diff_ids")]
    public IReadOnlyList<string> DiffIds { get => field ?? []; init; } = [];
}

/// <summary>One step of an image's making, oldest first.</summary>
public sealed record History
{
    public DateTimeOffset? Created { get; init; }

    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    public string? Author { get; init; }

    public string? Comment { get; init; }

    /// <summary>The step changed the configuration only.</summary>
    [JsonPropertyName("empty_layer")]
    public bool? EmptyLayer { get; init; }
}
