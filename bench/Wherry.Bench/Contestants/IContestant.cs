namespace Wherry.Bench.Contestants;

/// <summary>A container engine, driven by its docker-like command line.</summary>
public interface IContestant : IDisposable
{
    string Name { get; }

    /// <summary>Name and version for the report.</summary>
    string Description { get; }

    /// <summary>Whether its bridge network works here.</summary>
    bool HasBridge { get; }

    /// <summary>A process whose network the engine is in; null for the host's.</summary>
    int? NetworkOf => null;

    /// <summary>Runs a command of the engine's command line; returns how long it took from spawn to exit.</summary>
    TimeSpan Measure(params string[] arguments);

    string Output(params string[] arguments);

    /// <summary>Resident memory of the engine's own processes, bytes; null where there is no engine.</summary>
    long? EngineResidentBytes();

    /// <summary>The most resident memory of the engine's own processes since <see cref="ForgetPeak"/>, bytes; null where there is no engine.</summary>
    long? EnginePeakBytes();

    void ForgetPeak();

    /// <summary>Private memory of each supervisor, bytes.</summary>
    IReadOnlyList<long> SupervisorPrivateBytes();
}
