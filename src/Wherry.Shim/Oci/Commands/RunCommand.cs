using Wherry.Errors;
using Wherry.Linux.Processes;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>run</c>: create and start; unless detached, also wait for the program's end and remove the container.</summary>
public sealed class RunCommand : ICommand
{
    public OptionTable Options => new("run [options] ID",
    [
        .. CreateOptions.Options,
        "detach,d End when the program runs",
        "keep Keep the container's state when its program has ended",
        "no-subreaper Don't become the parent of the container's orphans",
    ]);

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        var options = CreateOptions.From(parsed, "run") with { Detach = parsed.IsOn("detach") };
        if (!options.Detach)
        {
            options = options with { WhileStageBegins = Foreground.TakeSignals };
            if (!parsed.IsOn("no-subreaper"))
            {
                ProcessSyscalls.BecomeSubreaper();
            }
        }

        try
        {
            ProcessSyscalls.SetDumpable(false);
            using var container = NewContainer.Create(global, options);
            try
            {
                if (container.Master is { } master)
                {
                    Foreground.CopySize(master);
                }

                container.Start();
                PidFile.Write(options.PidFile, container.Pid);
            }
            catch
            {
                container.Abandon();
                throw;
            }

            return options.Detach ? 0 : container.Wait(keep: parsed.IsOn("keep"));
        }
        catch (WherryException e)
        {
            throw CommandFailure.Of("run", e, 1);
        }
    }
}
