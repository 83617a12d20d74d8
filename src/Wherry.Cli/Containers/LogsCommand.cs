using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Parsing;
using Wherry.Cli.Streams;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry logs</c>.</summary>
internal sealed class LogsCommand : CliCommand
{
    private readonly FlagOption _details;
    private readonly FlagOption _follow;
    private readonly ValueOption _since;
    private readonly ValueOption _tail;
    private readonly FlagOption _timestamps;
    private readonly ValueOption _until;

    internal LogsCommand()
        : base("[OPTIONS] CONTAINER", 1, 1)
    {
        _details = Flag("details", null, "Show extra details provided to logs");
        _follow = Flag("follow", 'f', "Follow log output");
        _since = Value("since", null, "string", "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)");
        _tail = Value("tail", 'n', "string", "Number of lines to show from the end of the logs (default \"all\")");
        _timestamps = Flag("timestamps", 't', "Show timestamps");
        _until = Value("until", null, "string", "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)");
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Containers;

    internal override int Run(Invocation invocation)
    {
        var name = Query.Segment(invocation.Arguments[0]);
        var now = DateTimeOffset.UtcNow;
        var target = new Query($"/containers/{name}/logs")
            .AddFlag("stdout", true)
            .AddFlag("stderr", true)
            .AddFlag("follow", invocation.Is(_follow))
            .AddFlag("timestamps", invocation.Is(_timestamps))
            .AddFlag("details", invocation.Is(_details))
            .Add("tail", invocation.Last(_tail) ?? "all")
            .Add("since", Time(invocation, _since, now))
            .Add("until", Time(invocation, _until, now));
        using var response = invocation.Engine.Send("GET", target);
        var streams = invocation.Context.Streams;
        if (IsRaw(invocation, response, name))
        {
            response.CopyTo(streams.Output, 32 * 1024);
        }
        else
        {
            FrameReader.Copy(response, streams.Output, streams.Error);
        }

        return 0;
    }

    /// <summary>Newer engines say in the answer's type whether output is framed; older ones must be asked about the terminal.</summary>
    private static bool IsRaw(Invocation invocation, HttpResponse response, string name)
    {
        if (response.Headers.TryGetValue("Content-Type", out var type) && type.Contains("docker", StringComparison.Ordinal))
        {
            return type.Contains("raw-stream", StringComparison.Ordinal);
        }

        using var document = invocation.Engine.Get($"/containers/{name}/json");
        return document.RootElement.Truth("Config", "Tty");
    }

    private static string? Time(Invocation invocation, ValueOption option, DateTimeOffset now)
    {
        if (invocation.Last(option) is not { Length: > 0 } text)
        {
            return null;
        }

        return TimeSpec.ToUnix(text, now)
            ?? throw new CliException($"invalid value for \"{option.Name.TrimStart('-')}\": failed to parse value as time or duration: \"{text}\"");
    }
}
