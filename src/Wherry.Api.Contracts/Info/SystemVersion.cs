using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Info;

/// <summary>Answer of <c>GET /version</c>.</summary>
public sealed record SystemVersion
{
    public VersionPlatform Platform { get; init => field = value ?? new(); } = new();

    public IReadOnlyList<ComponentVersion> Components { get; init => field = value ?? []; } = [];

    public string Version { get; init => field = value ?? ""; } = "";

    public string ApiVersion { get; init => field = value ?? ""; } = "";

    public string MinAPIVersion { get; init => field = value ?? ""; } = "";

    public string GitCommit { get; init => field = value ?? ""; } = "";

    /// <summary>The name is Docker's; here it says which .NET the engine was compiled with.</summary>
    public string GoVersion { get; init => field = value ?? ""; } = "";

    public string Os { get; init => field = value ?? ""; } = "";

    public string Arch { get; init => field = value ?? ""; } = "";

    public string KernelVersion { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingDefault)]
    public bool Experimental { get; init; }

    public string BuildTime { get; init => field = value ?? ""; } = "";
}

/// <summary>The product.</summary>
public sealed record VersionPlatform
{
    public string Name { get; init => field = value ?? ""; } = "";
}

/// <summary>A part of the product.</summary>
public sealed record ComponentVersion
{
    public string Name { get; init => field = value ?? ""; } = "";

    public string Version { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, string>? Details { get; init; }
}
