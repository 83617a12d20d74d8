using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Streams;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry stop</c> and <c>wherry restart</c>.</summary>
internal sealed class StopCommand : CliCommand
{
    private readonly string _verb;
    private readonly ValueOption _signal;
    private readonly ValueOption _timeout;

    internal StopCommand(bool restart)
        : base("[OPTIONS] CONTAINER [CONTAINER...]", 1)
    {
        _verb = restart ? "restart" : "stop";
        _signal = Value("signal", 's', "string", "Signal to send to the container");
        _timeout = Value("timeout", 't', "int", "Seconds to wait before killing the container");
        _timeout.AlsoSpelled = "--time";
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.RunningContainers;

    internal override int Run(Invocation invocation)
    {
        var seconds = invocation.Number(_timeout);
        return Each.Concurrently(invocation, name => invocation.Engine.Call(
            "POST",
            new Query($"/containers/{Query.Segment(name)}/{_verb}").Add("signal", invocation.Last(_signal)).Add("t", seconds?.ToString())));
    }
}

/// <summary><c>wherry kill</c>.</summary>
internal sealed class KillCommand : CliCommand
{
    private readonly ValueOption _signal;

    internal KillCommand()
        : base("[OPTIONS] CONTAINER [CONTAINER...]", 1)
        => _signal = Value("signal", 's', "string", "Signal to send to the container");

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.RunningContainers;

    internal override int Run(Invocation invocation) => Each.Container(invocation, name => invocation.Engine.Call(
        "POST",
        new Query($"/containers/{Query.Segment(name)}/kill").Add("signal", invocation.Last(_signal))));
}

/// <summary><c>wherry pause</c> and <c>wherry unpause</c>.</summary>
internal sealed class PauseCommand(string verb) : CliCommand("CONTAINER [CONTAINER...]", 1)
{
    internal override Completion.CompletionSource Completes => Completion.CompletionSource.RunningContainers;

    internal override int Run(Invocation invocation)
        => Each.Container(invocation, name => invocation.Engine.Call("POST", $"/containers/{Query.Segment(name)}/{verb}"));
}

/// <summary><c>wherry wait</c>.</summary>
internal sealed class WaitCommand() : CliCommand("CONTAINER [CONTAINER...]", 1)
{
    internal override Completion.CompletionSource Completes => Completion.CompletionSource.RunningContainers;

    internal override int Run(Invocation invocation) => Each.Object(invocation, name =>
    {
        using var exit = PendingExit.Register(invocation.Context, name, "");
        invocation.Out.WriteLine(exit.ExitCode());
        invocation.Out.Flush();
    });
}

/// <summary><c>wherry rename</c>.</summary>
internal sealed class RenameCommand() : CliCommand("CONTAINER NEW_NAME", 2, 2)
{
    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Containers;

    internal override int Run(Invocation invocation)
    {
        if (invocation.Arguments.Any(static name => name.Trim().Length == 0))
        {
            throw new CliException("Error: Neither old nor new names may be empty");
        }

        invocation.Engine.Call("POST", new Query($"/containers/{Query.Segment(invocation.Arguments[0])}/rename").Add("name", invocation.Arguments[1]));
        return 0;
    }
}

/// <summary><c>wherry rm</c>.</summary>
internal sealed class RemoveContainersCommand : CliCommand
{
    private readonly FlagOption _force;
    private readonly FlagOption _link;
    private readonly FlagOption _volumes;

    internal RemoveContainersCommand()
        : base("[OPTIONS] CONTAINER [CONTAINER...]", 1)
    {
        _force = Flag("force", 'f', "Force the removal of a running container (uses SIGKILL)");
        _link = Flag("link", 'l', "Remove the specified link");
        _volumes = Flag("volumes", 'v', "Remove anonymous volumes associated with the container");
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Containers;

    internal override int Run(Invocation invocation) => Each.Concurrently(invocation, name => invocation.Engine.Call(
        "DELETE",
        new Query($"/containers/{Query.Segment(name.TrimStart('/'))}")
            .AddFlag("force", invocation.Is(_force))
            .AddFlag("link", invocation.Is(_link))
            .AddFlag("v", invocation.Is(_volumes))));
}

/// <summary><c>wherry top</c>.</summary>
internal sealed class TopCommand() : CliCommand("CONTAINER [ps OPTIONS]", 1)
{
    internal override bool OptionsEndAtFirstArgument => true;

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.RunningContainers;

    internal override int Run(Invocation invocation)
    {
        var target = new Query($"/containers/{Query.Segment(invocation.Arguments[0])}/top");
        if (invocation.Arguments.Length > 1)
        {
            target.Add("ps_args", string.Join(' ', invocation.Arguments[1..]));
        }

        using var document = invocation.Engine.Get(target);
        var titles = document.RootElement.Items("Titles").Select(static t => t.GetString() ?? "").ToArray();
        var table = new Table(titles, Array.ConvertAll(titles, static t => t is "CMD" or "COMMAND"));
        foreach (var process in document.RootElement.Items("Processes"))
        {
            table.Add([.. process.Items().Select(static cell => cell.GetString() ?? "")]);
        }

        table.Write(invocation.Out, invocation.Context.Streams.OutputIsTerminal ? Terminals.TerminalSize.Of(1)?.Width : null);
        return 0;
    }
}
