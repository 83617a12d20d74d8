using Wherry.Errors;
using Wherry.Linux.Processes;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>create</c>: ends with the container's first process waiting, an orphan that the caller's subreaper inherits.</summary>
public sealed class CreateCommand : ICommand
{
    public OptionTable Options => new("create [options] ID", CreateOptions.Options);

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        var options = CreateOptions.From(parsed, "create") with { Detach = true, WaitsForStart = true };
        try
        {
            ProcessSyscalls.SetDumpable(false);
            using var container = NewContainer.Create(global, options);
            try
            {
                container.Detach();
                PidFile.Write(options.PidFile, container.Pid);
            }
            catch
            {
                container.Abandon();
                throw;
            }

            return 0;
        }
        catch (WherryException e)
        {
            throw CommandFailure.Of("create", e, 1);
        }
    }
}
