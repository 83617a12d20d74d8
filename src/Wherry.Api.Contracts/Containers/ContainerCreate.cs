using Wherry.Api.Contracts.Networks;

namespace Wherry.Api.Contracts.Containers;

/// <summary>Body of <c>POST /containers/create</c>.</summary>
public sealed record ContainerCreateRequest : ContainerConfig
{
    public HostConfig? HostConfig { get; init; }

    public NetworkingConfig? NetworkingConfig { get; init; }
}

/// <summary>Answer of <c>POST /containers/create</c>.</summary>
public sealed record ContainerCreateResponse
{
    public string Id { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string> Warnings { get; init => field = value ?? []; } = [];
}
