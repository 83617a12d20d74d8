using Wherry.Linux;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.LifecycleHooks;

/// <summary>
/// Runs hooks (config.md, "POSIX-platform Hooks") in the caller's namespaces, one after another in their order.
/// Which those are is the caller's matter: prestart, createRuntime, poststart and poststop belong into the
/// runtime's, createContainer into the container's with the host's files still in sight. startContainer hooks
/// are programs of the container and run by <see cref="ContainerHooks"/>.
/// </summary>
public static class HookRunner
{
    private const int SignalExit = 128;

    /// <summary>Runs hooks whose failure ends the container.</summary>
    /// <param name="kind">Runtime-spec's name of the list.</param>
    /// <param name="hooks">The list.</param>
    /// <param name="state">Given to each.</param>
    /// <param name="environment">That of hooks which name none; null for this process's own.</param>
    /// <param name="directory">Their working directory; null for the bundle's.</param>
    /// <exception cref="SandboxStartException">One failed; those behind it have not run.</exception>
    public static void Run(string kind, IReadOnlyList<Hook> hooks, HookState state, IReadOnlyList<string>? environment = null, string? directory = null)
    {
        if (hooks.Count == 0)
        {
            return;
        }

        var json = state.ToJson();
        foreach (var hook in hooks)
        {
            Run(kind, hook, json, directory ?? state.Bundle, environment);
        }
    }

    /// <summary>Runs hooks whose failure is only told (poststart, poststop): all of them, come what may.</summary>
    public static void RunAll(string kind, IReadOnlyList<Hook> hooks, HookState state, Action<string> warn)
    {
        if (hooks.Count == 0)
        {
            return;
        }

        var json = state.ToJson();
        foreach (var hook in hooks)
        {
            try
            {
                Run(kind, hook, json, state.Bundle, environment: null);
            }
            catch (SandboxStartException e)
            {
                warn(e.Message);
            }
        }
    }

    internal static SandboxStartException Failure(string kind, Hook hook, string what) => new($"error running hook: {kind} hook {hook.Path}: {what}", 128);

    internal static void Require(string kind, Hook hook, int? exitCode, string said)
    {
        if (exitCode != 0)
        {
            throw Failure(kind, hook, (exitCode is { } code ? Describe(code) : $"not done after {hook.Timeout} seconds") + said);
        }
    }

    // The end of which the hook itself could say nothing.
    private static string Describe(int exitCode) =>
        exitCode == SignalExit + SignalNumber.Sys ? $"exit code {exitCode} (bad system call)" : $"exit code {exitCode}";

    private static void Run(string kind, Hook hook, ReadOnlySpan<byte> state, string directory, IReadOnlyList<string>? environment)
    {
        using var process = new HookProcess(state);
        int pid;
        try
        {
            pid = ProgramSpawn.Start(
                hook.Path, hook.Args.Count == 0 ? [hook.Path] : hook.Args, hook.Env ?? environment ?? OwnEnvironment.Entries(), [process.Stdin, process.Output, process.Output], 0,
                Directory.Exists(directory) ? directory : "/");
        }
        catch (LinuxException e)
        {
            throw Failure(kind, hook, e.Message);
        }

        Require(kind, hook, process.Await(pid, hook), process.Said);
    }
}
