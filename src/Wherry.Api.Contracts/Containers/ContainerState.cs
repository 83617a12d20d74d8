using System.Text.Json.Serialization;
using static System.Text.Json.Serialization.JsonIgnoreCondition;

namespace Wherry.Api.Contracts.Containers;

/// <summary>Where a container is in its life. Times are RFC 3339 with nanoseconds; year 1 means never.</summary>
public sealed record ContainerState
{
    /// <summary><c>created</c>, <c>running</c>, <c>paused</c>, <c>restarting</c>, <c>removing</c>, <c>exited</c> or <c>dead</c>.</summary>
    public string Status { get; init => field = value ?? ""; } = "";

    public bool Running { get; init; }

    public bool Paused { get; init; }

    public bool Restarting { get; init; }

    public bool OOMKilled { get; init; }

    public bool Dead { get; init; }

    /// <summary>The first process as the host numbers it; zero when not running.</summary>
    public int Pid { get; init; }

    public int ExitCode { get; init; }

    public string Error { get; init => field = value ?? ""; } = "";

    public string StartedAt { get; init => field = value ?? ""; } = "";

    public string FinishedAt { get; init => field = value ?? ""; } = "";

    [JsonIgnore(Condition = WhenWritingNull)]
    public Health? Health { get; init; }
}

/// <summary>What health probes found.</summary>
public sealed record Health
{
    /// <summary><c>none</c>, <c>starting</c>, <c>healthy</c> or <c>unhealthy</c>.</summary>
    public string Status { get; init => field = value ?? ""; } = "";

    public int FailingStreak { get; init; }

    [JsonIgnore(Condition = WhenWritingNull)]
    public IReadOnlyList<HealthcheckResult>? Log { get; init; }
}

/// <summary>One health probe.</summary>
public sealed record HealthcheckResult
{
    public string Start { get; init => field = value ?? ""; } = "";

    public string End { get; init => field = value ?? ""; } = "";

    public int ExitCode { get; init; }

    public string Output { get; init => field = value ?? ""; } = "";
}
