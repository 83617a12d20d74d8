using Wherry.Api.Contracts.Containers;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Streams;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry run</c>: create, attach, wait, start, copy the streams, exit as the program does.</summary>
internal sealed class RunCommand : ContainerOptions
{
    private readonly FlagOption _detach;
    private readonly ValueOption _detachKeys;
    private readonly FlagOption _signalProxy;

    internal RunCommand()
    {
        _detach = Flag("detach", 'd', "Run container in background and print container ID");
        _detachKeys = Value("detach-keys", null, "string", "Override the key sequence for detaching a container");
        _signalProxy = Flag("sig-proxy", null, "Proxy received signals to the process (default true)");
    }

    internal override int Run(Invocation invocation)
    {
        var detached = invocation.Is(_detach);
        var request = new CreateRequestBuilder(this, invocation, detached).Build();
        if (request is { Tty: true, AttachStdin: true } && !invocation.Context.Streams.InputIsTerminal)
        {
            throw TerminalRequired();
        }

        try
        {
            var id = NewContainer.Create(this, invocation, request);
            return detached ? StartInBackground(invocation, id) : StartAttached(invocation, id, request);
        }
        catch (EngineException e)
        {
            throw StartFailure.Describe(e);
        }
        catch (CliException e) when (e.ExitCode == 1)
        {
            throw new CliException(e.Message, 125) { Hint = e.Hint };
        }
    }

    internal static CliException TerminalRequired() => new("the input device is not a TTY")
    {
        Hint = "Leave out -t where standard input is a pipe or a file.",
    };

    private static int StartInBackground(Invocation invocation, string id)
    {
        invocation.Engine.Call("POST", $"/containers/{id}/start");
        invocation.Out.WriteLine(id);
        return 0;
    }

    private int StartAttached(Invocation invocation, string id, ContainerCreateRequest request)
    {
        var context = invocation.Context;
        var attached = request.AttachStdin || request.AttachStdout || request.AttachStderr;
        var proxy = !invocation.Has(_signalProxy) || invocation.Is(_signalProxy);
        using var forwarding = proxy ? SignalForwarding.To(context, id) : null;
        using var connection = attached ? invocation.Engine.Hijack(AttachTarget(invocation, id, request), null) : null;
        using var exit = PendingExit.Register(context, id, request.HostConfig!.AutoRemove ? "removed" : "next-exit");

        invocation.Engine.Call("POST", $"/containers/{id}/start");
        if (connection is null)
        {
            invocation.Out.WriteLine(id);
            invocation.Out.Flush();
            return exit.ExitCode();
        }

        var keys = DetachKeys.Parse(invocation.Last(_detachKeys));
        var options = new SessionOptions(request.Tty, request.AttachStdin, request.AttachStdout, request.AttachStderr, $"/containers/{id}/resize", proxy, keys);
        new Session(context, connection, options).Run();
        return request is { Tty: true, AttachStdin: true } ? exit.ExitCodeUnlessDetached(keys) : exit.ExitCode();
    }

    private string AttachTarget(Invocation invocation, string id, ContainerCreateRequest request)
        => new Query($"/containers/{id}/attach")
            .AddFlag("stream", true)
            .AddFlag("stdin", request.AttachStdin)
            .AddFlag("stdout", request.AttachStdout)
            .AddFlag("stderr", request.AttachStderr)
            .Add("detachKeys", invocation.Last(_detachKeys))
            .ToString();
}
