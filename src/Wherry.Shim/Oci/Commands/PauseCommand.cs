using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>pause</c>: freezes every process of a container.</summary>
public sealed class PauseCommand : ICommand
{
    public OptionTable Options => new("pause ID");

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        using var container = Container.OpenLocked(global.Root, parsed.RequireId("pause"));
        if (container.Status() is not (ContainerStatus.Running or ContainerStatus.Created))
        {
            throw WherryException.Conflict("container not running");
        }

        Freezer.Freeze(container.RequireCgroup("pausing"));
        return 0;
    }
}

/// <summary><c>resume</c>: lets a paused container's processes go on.</summary>
public sealed class ResumeCommand : ICommand
{
    public OptionTable Options => new("resume ID");

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        using var container = Container.OpenLocked(global.Root, parsed.RequireId("resume"));
        if (container.Status() != ContainerStatus.Paused)
        {
            throw WherryException.Conflict("container not paused");
        }

        Freezer.Thaw(container.Cgroup);
        return 0;
    }
}
