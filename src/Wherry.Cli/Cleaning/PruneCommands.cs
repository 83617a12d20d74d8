using Wherry.Cli.CommandLine;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Cleaning;

/// <summary><c>wherry container prune</c>.</summary>
internal sealed class PruneContainersCommand : CliCommand
{
    private readonly ValueOption _filter;
    private readonly FlagOption _force;

    internal PruneContainersCommand()
        : base("[OPTIONS]", 0, 0)
    {
        _filter = List("filter", null, "Provide filter values (e.g. \"until=<timestamp>\")", "filter");
        _force = Flag("force", 'f', "Do not prompt for confirmation");
    }

    internal override int Run(Invocation invocation)
    {
        var filters = invocation.ConvertAll(_filter, FilterSpec.Parse);
        if (!invocation.Is(_force) && !Pruning.Confirm(invocation, "This will remove all stopped containers."))
        {
            return 0;
        }

        return Pruning.Total(invocation, Pruning.Run(invocation, "containers", filters, "Deleted Containers:", "ContainersDeleted"));
    }
}

/// <summary><c>wherry image prune</c>.</summary>
internal sealed class PruneImagesCommand : CliCommand
{
    private readonly FlagOption _all;
    private readonly ValueOption _filter;
    private readonly FlagOption _force;

    internal PruneImagesCommand()
        : base("[OPTIONS]", 0, 0)
    {
        _all = Flag("all", 'a', "Remove all unused images, not just dangling ones");
        _filter = List("filter", null, "Provide filter values (e.g. \"until=<timestamp>\")", "filter");
        _force = Flag("force", 'f', "Do not prompt for confirmation");
    }

    internal override int Run(Invocation invocation)
    {
        var filters = invocation.ConvertAll(_filter, FilterSpec.Parse);
        filters.Add(("dangling", invocation.Is(_all) ? "false" : "true"));
        var warning = invocation.Is(_all)
            ? "This will remove all images without at least one container associated to them."
            : "This will remove all dangling images.";
        if (!invocation.Is(_force) && !Pruning.Confirm(invocation, warning))
        {
            return 0;
        }

        return Pruning.Total(invocation, Pruning.Run(invocation, "images", filters, "Deleted Images:", "ImagesDeleted"));
    }
}

/// <summary><c>wherry volume prune</c>.</summary>
internal sealed class PruneVolumesCommand : CliCommand
{
    private readonly FlagOption _all;
    private readonly ValueOption _filter;
    private readonly FlagOption _force;

    internal PruneVolumesCommand()
        : base("[OPTIONS]", 0, 0)
    {
        _all = Flag("all", 'a', "Remove all unused volumes, not just anonymous ones");
        _filter = List("filter", null, "Provide filter values (e.g. \"label=<label>\")", "filter");
        _force = Flag("force", 'f', "Do not prompt for confirmation");
    }

    internal override int Run(Invocation invocation)
    {
        var filters = invocation.ConvertAll(_filter, FilterSpec.Parse);
        if (invocation.Is(_all))
        {
            filters.Add(("all", "true"));
        }

        var which = invocation.Is(_all) ? "all local" : "anonymous local";
        if (!invocation.Is(_force) && !Pruning.Confirm(invocation, $"This will remove {which} volumes not used by at least one container."))
        {
            return 0;
        }

        return Pruning.Total(invocation, Pruning.Run(invocation, "volumes", filters, "Deleted Volumes:", "VolumesDeleted"));
    }
}

/// <summary><c>wherry system prune</c>.</summary>
internal sealed class PruneSystemCommand : CliCommand
{
    private readonly FlagOption _all;
    private readonly ValueOption _filter;
    private readonly FlagOption _force;
    private readonly FlagOption _volumes;

    internal PruneSystemCommand()
        : base("[OPTIONS]", 0, 0)
    {
        _all = Flag("all", 'a', "Remove all unused images not just dangling ones");
        _filter = List("filter", null, "Provide filter values (e.g. \"label=<key>=<value>\")", "filter");
        _force = Flag("force", 'f', "Do not prompt for confirmation");
        _volumes = Flag("volumes", null, "Prune anonymous volumes");
    }

    internal override int Run(Invocation invocation)
    {
        var filters = invocation.ConvertAll(_filter, FilterSpec.Parse);
        if (invocation.Is(_volumes) && filters.Exists(static filter => filter.Name == "until"))
        {
            throw new CliException("the \"until\" filter is not supported with \"--volumes\"");
        }

        var warning = "This will remove:\n  - all stopped containers\n"
            + (invocation.Is(_volumes) ? "  - all anonymous volumes not used by at least one container\n" : "")
            + (invocation.Is(_all) ? "  - all images without at least one container associated to them\n" : "  - all dangling images\n");
        if (!invocation.Is(_force) && !Pruning.Confirm(invocation, warning))
        {
            return 0;
        }

        var bytes = Pruning.Run(invocation, "containers", filters, "Deleted Containers:", "ContainersDeleted");
        if (invocation.Is(_volumes))
        {
            bytes += Pruning.Run(invocation, "volumes", filters, "Deleted Volumes:", "VolumesDeleted");
        }

        bytes += Pruning.Run(invocation, "images", [.. filters, ("dangling", invocation.Is(_all) ? "false" : "true")], "Deleted Images:", "ImagesDeleted");
        return Pruning.Total(invocation, bytes);
    }
}
