using System.Text.Json.Serialization;
using Wherry.Api.Contracts.Json;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Execs;

/// <summary>Body of <c>POST /containers/{id}/exec</c>.</summary>
public sealed record ExecCreateRequest
{
    public string User { get; init => field = value ?? ""; } = "";

    public bool Privileged { get; init; }

    public bool Tty { get; init; }

    /// <summary>Rows and columns.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<int>? ConsoleSize { get; init; }

    public bool AttachStdin { get; init; }

    public bool AttachStderr { get; init; }

    public bool AttachStdout { get; init; }

    public string DetachKeys { get; init => field = value ?? ""; } = "";

    public IReadOnlyList<string>? Env { get; init; }

    public string WorkingDir { get; init => field = value ?? ""; } = "";

    [JsonConverter(typeof(WordsConverter))]
    public IReadOnlyList<string>? Cmd { get; init; }
}

/// <summary>Body of <c>POST /exec/{id}/start</c>.</summary>
public sealed record ExecStartRequest
{
    public bool Detach { get; init; }

    public bool Tty { get; init; }

    /// <summary>Rows and columns.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<int>? ConsoleSize { get; init; }
}

/// <summary>Answer of <c>GET /exec/{id}/json</c>.</summary>
public sealed record ExecInspectResponse
{
    public string ID { get; init => field = value ?? ""; } = "";

    public bool Running { get; init; }

    /// <summary>Null until the program has ended.</summary>
    public int? ExitCode { get; init; }

    public ProcessConfig ProcessConfig { get; init => field = value ?? new(); } = new();

    public bool OpenStdin { get; init; }

    public bool OpenStderr { get; init; }

    public bool OpenStdout { get; init; }

    public bool CanRemove { get; init; }

    public string ContainerID { get; init => field = value ?? ""; } = "";

    public string DetachKeys { get; init => field = value ?? ""; } = "";

    public int Pid { get; init; }
}

/// <summary>The program of an exec.</summary>
public sealed record ProcessConfig
{
    [JsonPropertyName("tty")]
    public bool Tty { get; init; }

    [JsonPropertyName("entrypoint")]
    public string Entrypoint { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("arguments")]
    public IReadOnlyList<string> Arguments { get; init => field = value ?? []; } = [];

    [JsonPropertyName("privileged")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public bool? Privileged { get; init; }

    [JsonPropertyName("user")]
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? User { get; init; }
}
