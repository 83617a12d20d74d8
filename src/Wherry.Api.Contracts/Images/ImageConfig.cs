using System.Text.Json.Serialization;
using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Json;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Images;

/// <summary>The defaults an image gives to its containers.</summary>
public sealed record ImageConfig
{
    public string User { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, EmptyObject>? ExposedPorts { get; init; }

    public IReadOnlyList<string>? Env { get; init; }

    public IReadOnlyList<string>? Cmd { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public HealthConfig? Healthcheck { get; init; }

    [JsonIgnore(Condition = WhenWritingDefault)]
    public bool ArgsEscaped { get; init; }

    public Dictionary<string, EmptyObject>? Volumes { get; init; }

    public string WorkingDir { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string>? Entrypoint { get; init; }

    public IReadOnlyList<string>? OnBuild { get; init; }

    public Dictionary<string, string>? Labels { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public string? StopSignal { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<string>? Shell { get; init; }
}
