namespace Wherry.Runtime.Contracts.Protocol;

/// <summary>Names of the files a sandbox has.</summary>
public static class StateFiles
{
    /// <summary>In the bundle directory: runtime-spec configuration.</summary>
    public const string Config = "config.json";

    /// <summary>In the bundle directory: <see cref="SandboxOptions"/>.</summary>
    public const string Sandbox = "sandbox.json";

    /// <summary>In the state directory: where the supervisor listens.</summary>
    public const string Socket = "shim.sock";

    /// <summary>In the state directory: the supervisor's process id and start time, by which it is told from a stranger that got its id.</summary>
    public const string Pid = "shim.pid";

    /// <summary>In the state directory: <see cref="ExitRecord"/>.</summary>
    public const string Exit = "exit.json";
}
