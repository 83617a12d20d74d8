using Wherry.Api.Contracts.Execs;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Parsing;
using Wherry.Cli.Streams;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry exec</c>.</summary>
internal sealed class ExecCommand : CliCommand
{
    private readonly FlagOption _detach;
    private readonly ValueOption _detachKeys;
    private readonly ValueOption _env;
    private readonly ValueOption _envFile;
    private readonly FlagOption _interactive;
    private readonly FlagOption _privileged;
    private readonly FlagOption _tty;
    private readonly ValueOption _user;
    private readonly ValueOption _workdir;

    internal ExecCommand()
        : base("[OPTIONS] CONTAINER COMMAND [ARG...]", 2)
    {
        _detach = Flag("detach", 'd', "Detached mode: run command in the background");
        _detachKeys = Value("detach-keys", null, "string", "Override the key sequence for detaching a container");
        _env = List("env", 'e', "Set environment variables");
        _envFile = List("env-file", null, "Read in a file of environment variables");
        _interactive = Flag("interactive", 'i', "Keep STDIN open even if not attached");
        _privileged = Flag("privileged", null, "Give extended privileges to the command");
        _tty = Flag("tty", 't', "Allocate a pseudo-TTY");
        _user = Value("user", 'u', "string", "Username or UID (format: \"<name|uid>[:<group|gid>]\")");
        _workdir = Value("workdir", 'w', "string", "Working directory inside the container");
    }

    internal override bool OptionsEndAtFirstArgument => true;

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.RunningContainers;

    internal override int Run(Invocation invocation)
    {
        var context = invocation.Context;
        var request = BuildRequest(invocation);
        if (request is { Tty: true, AttachStdin: true } && !context.Streams.InputIsTerminal)
        {
            throw RunCommand.TerminalRequired();
        }

        string id;
        using (var response = invocation.Engine.Post($"/containers/{Query.Segment(invocation.Arguments[0])}/exec", RequestJson.Of(request)))
        using (var document = response.ReadJson())
        {
            id = document.RootElement.Text("Id");
        }

        try
        {
            return invocation.Is(_detach) ? StartInBackground(invocation, id, request) : StartAttached(invocation, id, request);
        }
        catch (EngineException e)
        {
            var code = StartFailure.ExitCode(e.Message);
            throw new CliException(e.Message, code == 125 ? 1 : code) { Hint = ErrorText.HintFor(e) };
        }
    }

    private ExecCreateRequest BuildRequest(Invocation invocation)
    {
        var attached = !invocation.Is(_detach);
        var tty = invocation.Is(_tty);
        var env = VariableList.Environment(invocation.All(_envFile), invocation.All(_env), invocation.Context.Environment);
        return new ExecCreateRequest
        {
            User = invocation.Text(_user),
            Privileged = invocation.Is(_privileged),
            Tty = tty,
            ConsoleSize = tty && attached ? Size() : null,
            AttachStdin = attached && invocation.Is(_interactive),
            AttachStdout = attached,
            AttachStderr = attached,
            DetachKeys = invocation.Text(_detachKeys),
            Env = env.Count == 0 ? null : env,
            WorkingDir = invocation.Text(_workdir),
            Cmd = invocation.Arguments[1..],
        };
    }

    private static int StartInBackground(Invocation invocation, string id, ExecCreateRequest request)
    {
        using var response = invocation.Engine.Post($"/exec/{id}/start", RequestJson.Of(new ExecStartRequest { Detach = true, Tty = request.Tty }));
        return 0;
    }

    private static int StartAttached(Invocation invocation, string id, ExecCreateRequest request)
    {
        var start = new ExecStartRequest { Tty = request.Tty, ConsoleSize = request.Tty ? Size() : null };
        using (var connection = invocation.Engine.Hijack($"/exec/{id}/start", RequestJson.Of(start)))
        {
            new Session(invocation.Context, connection, new SessionOptions(request.Tty, request.AttachStdin, true, true, $"/exec/{id}/resize", ForwardsSignals: false, DetachKeys.Parse(request.DetachKeys))).Run();
        }

        using var document = invocation.Engine.Get($"/exec/{id}/json");
        if (document.RootElement.Truth("Running"))
        {
            return 0; // Detached from: the program runs on.
        }

        return (int)document.RootElement.Number("ExitCode");
    }

    private static int[]? Size() => TerminalSize.Of(1) is { } size ? [size.Height, size.Width] : null;
}
