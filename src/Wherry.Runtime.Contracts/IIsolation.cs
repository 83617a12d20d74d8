namespace Wherry.Runtime.Contracts;

/// <summary>
/// One way to run a bundle: as a host process in namespaces, or inside a virtual machine. The engine knows
/// containers only through this interface and <see cref="ISandbox"/>.
/// </summary>
public interface IIsolation
{
    /// <summary>The name users give in <c>--isolation</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Starts the supervisor and begins to make everything around the program (namespaces, cgroup, mounts)
    /// without running it. Returns as soon as the namespaces exist, so that the network can be plugged while
    /// the mounts are made; what fails after that is told by <see cref="ISandbox.StartAsync"/>. On failure
    /// nothing is left behind.
    /// </summary>
    /// <exception cref="SandboxStartException">The bundle could not be made to run.</exception>
    Task<ISandbox> CreateAsync(SandboxRequest request, CancellationToken cancel);

    /// <summary>Takes up the connection to a supervisor that outlived the engine; null when none answers.</summary>
    Task<ISandbox?> ReattachAsync(SandboxLocation location, CancellationToken cancel);

    /// <summary>The exit record a supervisor left when it ended, or null.</summary>
    ExitRecord? ReadExitRecord(SandboxLocation location);

    /// <summary>
    /// Ends and removes whatever a dead supervisor left: processes in its cgroup, the cgroup, its state
    /// directory. Does nothing, quickly, when there is nothing.
    /// </summary>
    Task CleanUpAsync(SandboxLocation location, CancellationToken cancel);
}
