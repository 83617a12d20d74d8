using Wherry.Errors;
using Wherry.Linux.Processes;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Checkpoints;
using Wherry.Shim.Oci.Checkpoints;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>restore</c>: makes a container whose processes go on where a checkpoint's were; unless detached, waits for their end.</summary>
public sealed class RestoreCommand : ICommand
{
    public OptionTable Options => new("restore [options] ID",
    [
        "bundle,b= The bundle's directory (default: the working directory)",
        "console-socket= Unix socket that is sent the terminal's master",
        "pid-file= File to write the first process's id to",
        "detach,d End when the processes run",
        "no-subreaper Don't become the parent of the container's orphans",
        "no-pivot Not supported: CRIU enters the root by pivot_root",
        "lsm-profile= TYPE:NAME, an AppArmor profile or SELinux label instead of the one there was",
        "lsm-mount-context= SELinux label for the file systems that are mounted",
        .. CheckpointOptions.Options,
    ]);

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        var options = CreateOptions.From(parsed, "restore") with { Detach = parsed.IsOn("detach") };
        CheckpointOptions.Require(parsed);
        if (options.NoPivot)
        {
            throw WherryException.Unsupported("--no-pivot is not supported: CRIU enters the root by pivot_root");
        }

        var program = CriuProcess.Find(global.Criu);
        if (!options.Detach)
        {
            Foreground.TakeSignals();
            if (!parsed.IsOn("no-subreaper"))
            {
                ProcessSyscalls.BecomeSubreaper();
            }
        }

        if (parsed.IsOn("lazy-pages"))
        {
            LazyPages.RequireDaemon(CheckpointOptions.WorkPath(parsed), Bundle.Read(options.Bundle).Spec.Linux?.Namespaces.Any(ns => ns.Type == "user") is true);
        }

        var images = ImageDirectory.Open(CheckpointOptions.ImagePath(parsed), CheckpointOptions.WorkPath(parsed), RestoredContainer.Log);
        using var container = RestoredContainer.Restore(global, options, images, program, criu => CheckpointOptions.Apply(parsed, criu) with
        {
            LsmProfile = parsed.Text("lsm-profile") is { Length: > 0 } profile ? profile : null,
            LsmMountContext = parsed.Text("lsm-mount-context") is { Length: > 0 } context ? context : null,
        });
        try
        {
            PidFile.Write(options.PidFile, container.Pid);
        }
        catch
        {
            container.Abandon();
            throw;
        }

        return options.Detach ? 0 : container.Wait();
    }
}
