using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Containers;

/// <summary>Answer of <c>POST /containers/{id}/wait</c>.</summary>
public sealed record ContainerWaitResponse
{
    public long StatusCode { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public ContainerWaitExitError? Error { get; init; }
}

/// <summary>Why waiting failed.</summary>
public sealed record ContainerWaitExitError
{
    public string Message { get; init => field = value ?? ""; } = "";
}

/// <summary>Answer of <c>GET /containers/{id}/top</c>: <c>ps</c> of the container's processes.</summary>
public sealed record ContainerTopResponse
{
    public IReadOnlyList<string> Titles { get; init => field = value ?? []; } = [];

    public IReadOnlyList<IReadOnlyList<string>> Processes { get; init => field = value ?? []; } = [];
}

/// <summary>Answer of <c>POST /containers/{id}/update</c>.</summary>
public sealed record ContainerUpdateResponse
{
    public IReadOnlyList<string>? Warnings { get; init; }
}
