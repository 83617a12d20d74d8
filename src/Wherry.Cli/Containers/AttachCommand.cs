using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Streams;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry attach</c>.</summary>
internal sealed class AttachCommand : CliCommand
{
    private readonly ValueOption _detachKeys;
    private readonly FlagOption _noStdin;
    private readonly FlagOption _signalProxy;

    internal AttachCommand()
        : base("[OPTIONS] CONTAINER", 1, 1)
    {
        _detachKeys = Value("detach-keys", null, "string", "Override the key sequence for detaching a container");
        _noStdin = Flag("no-stdin", null, "Do not attach STDIN");
        _signalProxy = Flag("sig-proxy", null, "Proxy all received signals to the process (default true)");
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.RunningContainers;

    internal override int Run(Invocation invocation)
    {
        var context = invocation.Context;
        var name = Query.Segment(invocation.Arguments[0]);
        using var exit = PendingExit.Register(context, invocation.Arguments[0], "");
        using var document = invocation.Engine.Get($"/containers/{name}/json");
        var container = document.RootElement;
        if (!container.Truth("State", "Running"))
        {
            throw new CliException("You cannot attach to a stopped container, start it first") { Hint = $"Run 'wherry start -a {invocation.Arguments[0]}'." };
        }

        if (container.Truth("State", "Paused"))
        {
            throw new CliException("You cannot attach to a paused container, unpause it first") { Hint = $"Run 'wherry unpause {invocation.Arguments[0]}'." };
        }

        if (container.Truth("State", "Restarting"))
        {
            throw new CliException("You cannot attach to a restarting container, wait until it is running");
        }

        var tty = container.Truth("Config", "Tty");
        var stdin = !invocation.Is(_noStdin) && container.Truth("Config", "OpenStdin");
        if (tty && stdin && !context.Streams.InputIsTerminal)
        {
            throw RunCommand.TerminalRequired();
        }

        var proxy = !tty && (!invocation.Has(_signalProxy) || invocation.Is(_signalProxy));
        using var forwarding = proxy ? SignalForwarding.To(context, container.Text("Id")) : null;
        var target = new Query($"/containers/{name}/attach")
            .AddFlag("stream", true).AddFlag("stdin", stdin).AddFlag("stdout", true).AddFlag("stderr", true)
            .Add("detachKeys", invocation.Last(_detachKeys));
        using var connection = invocation.Engine.Hijack(target.ToString(), null);
        var keys = DetachKeys.Parse(invocation.Last(_detachKeys));
        new Session(context, connection, new SessionOptions(tty, stdin, true, true, $"/containers/{name}/resize", proxy, keys)).Run();
        return tty && stdin ? exit.ExitCodeUnlessDetached(keys) : exit.ExitCode();
    }
}
