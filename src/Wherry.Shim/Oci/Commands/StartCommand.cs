using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Polling;
using Wherry.Runtime.LifecycleHooks;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>start</c>: ends when the program is executed, or says why it could not be.</summary>
public sealed class StartCommand : ICommand
{
    private static readonly TimeSpan PatienceWithEnd = TimeSpan.FromSeconds(5);

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
        using var process = container.TryOpenProcess();
        try
        {
            Word.Give(connection);
        }
        catch
        {
            AwaitEnd(process);
            throw;
        }

        container.Directory.RemoveSocket();
        RuntimeHooks.AfterStart(container.State.Id, container.State.Pid, container.State.Bundle, container.Spec, global.Log.Warning);
        return 0;
    }

    // Callers delete what failed to start at once, and containerd refuses to while it has not heard of the process's end.
    private static void AwaitEnd(FileDescriptor? process)
    {
        if (process is not null)
        {
            using var poll = new EventPoll();
            poll.Watch(process.Number, PollEvents.Readable, 0);
            poll.Wait((int)PatienceWithEnd.TotalMilliseconds);
        }
    }
}
