using Wherry.Errors;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>delete</c>: removes a container that has stopped or was never started; by force any, and what any crash has left.</summary>
public sealed class DeleteCommand : ICommand
{
    public OptionTable Options => new("delete [options] ID", "force,f Kill the container if it still runs");

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        var id = parsed.RequireId("delete");
        var force = parsed.IsOn("force");
        using var container = Container.TryOpen(global.Root, id);
        if (container is null)
        {
            return force ? 0 : throw WherryException.NotFound("container does not exist");
        }

        container.Lock();
        var status = container.Status();
        if (!force && status is not (ContainerStatus.Stopped or ContainerStatus.Created))
        {
            throw WherryException.Conflict($"cannot delete container {id} that is not stopped: {status.Text()}");
        }

        Removal.Remove(global, container);
        return 0;
    }
}
