namespace Wherry.Runtime.Contracts;

/// <summary>How a container ended; written by the supervisor as <c>exit.json</c> before it tells anyone.</summary>
public sealed record ExitRecord
{
    /// <summary>0–255; 128 + signal number when a signal ended the program.</summary>
    public required int ExitCode { get; init; }

    /// <summary>The kernel killed a process of the container for want of memory.</summary>
    public bool OomKilled { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }

    /// <summary>When the program was executed; null if it never was.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Why the program never ran or the supervisor gave up; empty on an ordinary exit.</summary>
    public string Error { get; init; } = "";
}
