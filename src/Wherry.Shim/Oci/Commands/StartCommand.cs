using Wherry.Errors;
using Wherry.Runtime.LifecycleHooks;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>start</c>: ends when the program is executed, or says why it could not be.</summary>
public sealed class StartCommand : ICommand
{
    public OptionTable Options => new("start ID");

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        using var container = Container.OpenLocked(global.Root, parsed.RequireId("start"));
        switch (container.Status())
        {
            case ContainerStatus.Created:
                break;
            case ContainerStatus.Running:
                throw WherryException.Conflict("cannot start an already running container");
            case ContainerStatus.Paused:
                throw WherryException.Conflict("cannot start a container in the paused state");
            default:
                throw WherryException.Conflict("cannot start a container that has stopped");
        }

        using var connection = container.Directory.TryConnect(wait: true, out _)
            ?? throw WherryException.Conflict("cannot start a container that has stopped");
        Word.Give(connection);
        container.Directory.RemoveSocket();
        RuntimeHooks.AfterStart(container.State.Id, container.State.Pid, container.State.Bundle, container.Spec, global.Log.Warning);
        return 0;
    }
}
