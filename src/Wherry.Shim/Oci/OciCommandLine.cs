using Wherry.Errors;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Commands;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci;

/// <summary><c>wherry-oci</c>: the command line of runc, which Docker, containerd and Podman call.</summary>
public static class OciCommandLine
{
    public const string ProgramName = "wherry-oci";

    private const string Commands = """

        Commands:
          create     Make a container whose program waits for start
          start      Run the program of a created container
          run        create and start; in the foreground, until the program ends
          state      Print a container's state
          list       List containers
          ps         List a container's processes
          kill       Send a signal to a container's first process
          exec       Run a further program in a container
          pause      Freeze a container's processes
          resume     Let them go on
          checkpoint Write a container's running processes to disk, and end them
          restore    Make a container whose processes go on from there
          update     Change a running container's limits
          events     Print what a container uses, and when it runs out of memory
          delete     Remove a container that has stopped
          spec       Write a config.json to begin with
          features   Say, as JSON, what this runtime can do

        wherry-oci COMMAND --help shows a command's options.
        """;

    public static int Run(string[] args)
    {
        var log = OciLog.Default;
        try
        {
            var words = GlobalOptions.Table.Parse(args);
            if (words.IsOn("version"))
            {
                ConsoleText.WriteLine(1, $"{ProgramName} version {ProgramVersion.Text}\nspec: {FeaturesCommand.NewestSpec}");
                return 0;
            }

            if (words.Operands.Count == 0 || words.IsOn("help") || words.Operands[0] == "help")
            {
                ConsoleText.WriteLine(1, GlobalOptions.Table.Help + "\n" + Commands);
                return 0;
            }

            log = OciLog.Open(words);
            return Run(GlobalOptions.From(words, log), words.Operands[0], [.. words.Operands.Skip(1)]);
        }
        catch (CommandFailure e)
        {
            log.Error(e.Message);
            return e.ExitCode;
        }
        catch (WherryException e)
        {
            log.Error(e.Message);
            return 1;
        }
        finally
        {
            log.Dispose();
        }
    }

    private static int Run(GlobalOptions global, string name, string[] words)
    {
        ICommand command = name switch
        {
            "create" => new CreateCommand(),
            "start" => new StartCommand(),
            "run" => new RunCommand(),
            "state" => new StateCommand(),
            "list" => new ListCommand(),
            "ps" => new PsCommand(),
            "kill" => new KillCommand(),
            "exec" => new ExecCommand(),
            "pause" => new PauseCommand(),
            "resume" => new ResumeCommand(),
            "update" => new UpdateCommand(),
            "events" => new EventsCommand(),
            "delete" => new DeleteCommand(),
            "spec" => new SpecCommand(),
            "features" => new FeaturesCommand(),
            "checkpoint" => new CheckpointCommand(),
            "restore" => new RestoreCommand(),
            _ => throw CommandFailure.NoSuchCommand(name),
        };
        try
        {
            var parsed = command.Options.Parse(words);
            if (parsed.IsOn("help"))
            {
                ConsoleText.WriteLine(1, command.Options.Help);
                return 0;
            }

            global.Log.Debug($"{name} {string.Join(' ', words)}");
            return command.Run(global, parsed);
        }
        catch (UsageException)
        {
            ConsoleText.WriteLine(1, $"Incorrect Usage.\n\n{command.Options.Help}");
            throw;
        }
    }
}
