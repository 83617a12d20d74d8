using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Streams;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry start</c>.</summary>
internal sealed class StartCommand : CliCommand
{
    private readonly FlagOption _attach;
    private readonly FlagOption _interactive;
    private readonly ValueOption _detachKeys;
    private readonly ValueOption _checkpoint;

    internal StartCommand()
        : base("[OPTIONS] CONTAINER [CONTAINER...]", 1)
    {
        _attach = Flag("attach", 'a', "Attach STDOUT/STDERR and forward signals");
        _interactive = Flag("interactive", 'i', "Attach container's STDIN");
        _detachKeys = Value("detach-keys", null, "string", "Override the key sequence for detaching a container");
        _checkpoint = Hidden(Value("checkpoint", null, "string", "Restore from this checkpoint"));
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Containers;

    internal override int Run(Invocation invocation)
    {
        if (invocation.Has(_checkpoint))
        {
            throw new CliException("--checkpoint is not supported by this engine");
        }

        if (invocation.Is(_attach) || invocation.Is(_interactive))
        {
            return invocation.Arguments.Length == 1
                ? StartAttached(invocation, invocation.Arguments[0])
                : throw new CliException("you cannot start and attach multiple containers at once");
        }

        return Each.Container(invocation, name => invocation.Engine.Call("POST", $"/containers/{Query.Segment(name)}/start"));
    }

    private int StartAttached(Invocation invocation, string name)
    {
        var context = invocation.Context;
        using var document = invocation.Engine.Get($"/containers/{Query.Segment(name)}/json");
        var container = document.RootElement;
        var id = container.Text("Id");
        var tty = container.Truth("Config", "Tty");
        var stdin = invocation.Is(_interactive) && container.Truth("Config", "OpenStdin");

        using var forwarding = tty ? null : SignalForwarding.To(context, id);
        var target = new Query($"/containers/{id}/attach")
            .AddFlag("stream", true).AddFlag("stdin", stdin).AddFlag("stdout", true).AddFlag("stderr", true)
            .Add("detachKeys", invocation.Last(_detachKeys));
        using var connection = invocation.Engine.Hijack(target.ToString(), null);
        using var exit = PendingExit.Register(context, id, container.Truth("HostConfig", "AutoRemove") ? "removed" : "next-exit");
        invocation.Engine.Call("POST", $"/containers/{id}/start");
        var keys = DetachKeys.Parse(invocation.Last(_detachKeys));
        new Session(context, connection, new SessionOptions(tty, stdin, true, true, $"/containers/{id}/resize", forwarding is not null, keys)).Run();
        return tty && stdin ? exit.ExitCodeUnlessDetached(keys) : exit.ExitCode();
    }
}
