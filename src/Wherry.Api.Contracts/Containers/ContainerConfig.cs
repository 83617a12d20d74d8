using System.Text.Json.Serialization;
using Wherry.Api.Contracts.Json;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Containers;

/// <summary>What the program in a container is given, independent of the host. Images carry defaults for most of it.</summary>
public record ContainerConfig
{
    public string Hostname { get; init => field = value ?? ""; } = "";

    public string Domainname { get; init => field = value ?? ""; } = "";

    /// <summary><c>user[:group]</c>, names or numbers; empty for root or the image's user.</summary>
    public string User { get; init => field = value ?? ""; } = "";

    public bool AttachStdin { get; init; }

    public bool AttachStdout { get; init; }

    public bool AttachStderr { get; init; }

    /// <summary>Keys are <c>port/protocol</c>.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public Dictionary<string, EmptyObject>? ExposedPorts { get; init; }

    public bool Tty { get; init; }

    public bool OpenStdin { get; init; }

    /// <summary>Standard input ends with the first client that was attached to it.</summary>
    public bool StdinOnce { get; init; }

    /// <summary><c>NAME=value</c>; a bare <c>NAME</c> removes the image's variable.</summary>
    public IReadOnlyList<string>? Env { get; init; }

    [JsonConverter(typeof(WordsConverter))]
    public IReadOnlyList<string>? Cmd { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public HealthConfig? Healthcheck { get; init; }

    [JsonIgnore(Condition = WhenWritingDefault)]
    public bool ArgsEscaped { get; init; }

    /// <summary>The image as the user wrote it.</summary>
    public string Image { get; init => field = value ?? ""; } = "";

    /// <summary>Keys are the paths, inside the container, of anonymous volumes.</summary>
    public Dictionary<string, EmptyObject>? Volumes { get; init; }

    public string WorkingDir { get; init => field = value ?? ""; } = "";

    [JsonConverter(typeof(WordsConverter))]
    public IReadOnlyList<string>? Entrypoint { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public bool? NetworkDisabled { get; init; }

    /// <summary>Where clients before API 1.44 ask for a hardware address.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? MacAddress { get; init; }

    public IReadOnlyList<string>? OnBuild { get; init; }

    public Dictionary<string, string>? Labels { get; init; }

    /// <summary>Name or number of the signal that asks the program to end; SIGTERM where not given.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public string? StopSignal { get; init; }

    /// <summary>Seconds between the stop signal and SIGKILL.</summary>
    [JsonIgnore(Condition = WhenWritingNull)]
    public int? StopTimeout { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    [JsonConverter(typeof(WordsConverter))]
    public IReadOnlyList<string>? Shell { get; init; }
}

/// <summary>How to probe whether a container is healthy. Durations are nanoseconds; zero inherits.</summary>
public sealed record HealthConfig
{
    /// <summary><c>["NONE"]</c>, <c>["CMD", word…]</c> or <c>["CMD-SHELL", line]</c>.</summary>
    public IReadOnlyList<string>? Test { get; init; }

    [JsonIgnore(Condition = WhenWritingDefault)]
    public long Interval { get; init; }

    [JsonIgnore(Condition = WhenWritingDefault)]
    public long Timeout { get; init; }

    [JsonIgnore(Condition = WhenWritingDefault)]
    public long StartPeriod { get; init; }

    [JsonIgnore(Condition = WhenWritingDefault)]
    public long StartInterval { get; init; }

    [JsonIgnore(Condition = WhenWritingDefault)]
    public int Retries { get; init; }
}
