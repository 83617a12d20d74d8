using Wherry.Api.Contracts.Images;

namespace Wherry.Api.Contracts.Cleaning;

/// <summary>Answer of <c>POST /containers/prune</c>.</summary>
public sealed record ContainersPruneResponse
{
    public IReadOnlyList<string>? ContainersDeleted { get; init; }

    /// <summary>Bytes.</summary>
    public long SpaceReclaimed { get; init; }
}

/// <summary>Answer of <c>POST /volumes/prune</c>.</summary>
public sealed record VolumesPruneResponse
{
    public IReadOnlyList<string>? VolumesDeleted { get; init; }

    /// <summary>Bytes.</summary>
    public long SpaceReclaimed { get; init; }
}

/// <summary>Answer of <c>POST /images/prune</c>.</summary>
public sealed record ImagesPruneResponse
{
    public IReadOnlyList<ImageDeleteResponseItem>? ImagesDeleted { get; init; }

    /// <summary>Bytes.</summary>
    public long SpaceReclaimed { get; init; }
}

/// <summary>Answer of <c>POST /networks/prune</c>.</summary>
public sealed record NetworksPruneResponse
{
    public IReadOnlyList<string>? NetworksDeleted { get; init; }
}

/// <summary>Answer of <c>POST /build/prune</c>.</summary>
public sealed record BuildPruneResponse
{
    public IReadOnlyList<string>? CachesDeleted { get; init; }

    /// <summary>Bytes.</summary>
    public long SpaceReclaimed { get; init; }
}
