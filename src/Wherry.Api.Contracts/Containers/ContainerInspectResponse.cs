using System.Text.Json.Serialization;
using Wherry.Api.Contracts.Images;
using Wherry.Api.Contracts.Networks;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Containers;

/// <summary>Answer of <c>GET /containers/{id}/json</c>.</summary>
public sealed record ContainerInspectResponse
{
    public string Id { get; init => field = value ?? ""; } = "";

    /// <summary>RFC 3339 with nanoseconds.</summary>
    public string Created { get; init => field = value ?? ""; } = "";

    public string Path { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string> Args { get; init => field = value ?? []; } = [];

    public ContainerState State { get; init => field = value ?? new(); } = new();

    /// <summary>The image's ID.</summary>
    public string Image { get; init => field = value ?? ""; } = "";

    public string ResolvConfPath { get; init => field = value ?? ""; } = "";

    public string HostnamePath { get; init => field = value ?? ""; } = "";

    public string HostsPath { get; init => field = value ?? ""; } = "";

    public string LogPath { get; init => field = value ?? ""; } = "";

    /// <summary>With a leading slash.</summary>
    public string Name { get; init => field = value ?? ""; } = "";

    public int RestartCount { get; init; }

    public string Driver { get; init => field = value ?? ""; } = "";

    public string Platform { get; init => field = value ?? ""; } = "";

    public string MountLabel { get; init => field = value ?? ""; } = "";

    public string ProcessLabel { get; init => field = value ?? ""; } = "";

    public string AppArmorProfile { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string>? ExecIDs { get; init; }

    public HostConfig HostConfig { get; init => field = value ?? new(); } = new();

    public DriverData? GraphDriver { get; init; }

    /// <summary>Bytes written by the container; only when asked for.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public long? SizeRw { get; init; }

    /// <summary>Bytes of image and container together; only when asked for.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public long? SizeRootFs { get; init; }

    public IReadOnlyList<MountPoint> Mounts { get; init => field = value ?? []; } = [];

    public ContainerConfig Config { get; init => field = value ?? new(); } = new();

    public NetworkSettings NetworkSettings { get; init => field = value ?? new(); } = new();
}
