using System.Text.Json.Serialization;
using Wherry.Api.Contracts.Containers;
using Wherry.Engine.UserNamespaces;
using Wherry.Engine.Volumes;
using Wherry.Networking.Bridge;

namespace Wherry.Engine.State;

/// <summary>
/// All the engine must remember of a container (<c>container.json</c>). What can be derived, such as paths, is
/// not stored.
/// </summary>
internal sealed record ContainerRecord
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>The image's id; the reference the user gave is in <see cref="Config"/>.</summary>
    public required string ImageId { get; init; }

    /// <summary>The chain ID of the image's top layer, on which the snapshot stands; null for an image without layers.</summary>
    public string? TopChainId { get; init; }

    public string Platform { get; init; } = "linux";

    /// <summary>As asked for, with the image's defaults filled in.</summary>
    public required ContainerConfig Config { get; init; }

    /// <summary>As asked for.</summary>
    public required HostConfig Host { get; init; }

    public IReadOnlyList<ResolvedMount> Mounts { get; init; } = [];

    /// <summary>The ids of its user namespace; null in the host's.</summary>
    public IdRecord? Ids { get; init; }

    public string? RequestedAddress { get; init; }

    public string? RequestedMac { get; init; }

    public ContainerLife Life { get; init; } = new();
}

/// <summary>The part of a record that changes as the container lives.</summary>
internal sealed record ContainerLife
{
    public ContainerStatus Status { get; init; } = ContainerStatus.Created;

    public int? Pid { get; init; }

    public int ExitCode { get; init; }

    public string Error { get; init; } = "";

    public bool OomKilled { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The AppArmor profile its programs were started under; null for none.</summary>
    public string? AppArmorProfile { get; init; }

    /// <summary>The bridge endpoint while one is held.</summary>
    public Endpoint? Endpoint { get; init; }

    [JsonIgnore]
    public bool IsAlive => Status is ContainerStatus.Starting or ContainerStatus.Running or ContainerStatus.Paused;
}
