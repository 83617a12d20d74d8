using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>kill</c>: a signal for a container's first process, or for all.</summary>
public sealed class KillCommand : ICommand
{
    public OptionTable Options => new("kill [options] ID [SIGNAL]", "all,a Signal every process of the container") { OperandsEndOptions = false };

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        parsed.RequireOperands("kill", 1, 2);

        using var container = Container.Open(global.Root, parsed.Operands[0]);
        var signal = SignalNames.Parse(parsed.Operands.Count > 1 ? parsed.Operands[1] : "SIGTERM");
        if (parsed.IsOn("all"))
        {
            // Engines call it to be sure that nothing is left; that nothing is may well be.
            TryKillAll(container, signal);
            return 0;
        }

        if (signal == SignalNumber.Kill && !container.State.OwnsPidNamespace)
        {
            return TryKillAll(container, signal) ? 0 : throw WherryException.Conflict("container not running");
        }

        using var process = container.TryOpenProcess() ?? throw WherryException.Conflict("container not running");
        ProcessSyscalls.Kill(process, signal);
        ThawIfKilled(container, signal);
        return 0;
    }

    // Also of a container whose first process has ended: without a pid namespace of its own others live on.
    private static bool TryKillAll(Container container, int signal)
    {
        var processes = container.Processes();
        if (processes.Count == 0 && !container.IsAlive())
        {
            return false;
        }

        foreach (var pid in processes)
        {
            ProcessSyscalls.Kill(pid, signal);
        }

        ThawIfKilled(container, signal);
        return true;
    }

    // A frozen v1 cgroup keeps even a killed process until it is thawed.
    private static void ThawIfKilled(Container container, int signal)
    {
        if (signal == SignalNumber.Kill && Freezer.IsFrozen(container.Cgroup))
        {
            Freezer.TryThaw(container.Cgroup);
        }
    }
}
