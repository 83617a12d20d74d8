using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Images;

/// <summary>Where archives come from: a file, or standard input unless that is a terminal.</summary>
internal static class ArchiveSource
{
    internal static Stream Open(StandardStreams streams, string? path)
    {
        if (path is null or "-")
        {
            return streams.InputIsTerminal
                ? throw new CliException("requested load from stdin, but stdin is empty") { Hint = "Name a file with -i, or redirect one to standard input." }
                : streams.Input;
        }

        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CliException($"open {path}: no such file or directory");
        }
        catch (UnauthorizedAccessException)
        {
            throw new CliException($"open {path}: {(Directory.Exists(path) ? "is a directory" : "permission denied")}");
        }
    }
}

/// <summary><c>wherry load</c>.</summary>
internal sealed class LoadCommand : CliCommand
{
    private readonly ValueOption _input;
    private readonly FlagOption _quiet;

    internal LoadCommand()
        : base("[OPTIONS]", 0, 0)
    {
        _input = Value("input", 'i', "string", "Read from tar archive file, instead of STDIN");
        _quiet = Flag("quiet", 'q', "Suppress the load output");
    }

    internal override int Run(Invocation invocation)
    {
        var streams = invocation.Context.Streams;
        var quiet = invocation.Is(_quiet) || !streams.ErrorIsTerminal;
        using var archive = ArchiveSource.Open(streams, invocation.Last(_input));
        using var response = invocation.Engine.Upload(new Query("/images/load").AddFlag("quiet", quiet).ToString(), archive);
        new Progress(streams, quiet).Follow(response, invocation.Out.Write);
        return 0;
    }
}

/// <summary><c>wherry import</c>.</summary>
internal sealed class ImportCommand : CliCommand
{
    private readonly ValueOption _change;
    private readonly ValueOption _message;
    private readonly ValueOption _platform;

    internal ImportCommand()
        : base("[OPTIONS] file|URL|- [REPOSITORY[:TAG]]", 1, 2)
    {
        _change = List("change", 'c', "Apply Dockerfile instruction to the created image");
        _message = Value("message", 'm', "string", "Set commit message for imported image");
        _platform = Value("platform", null, "string", "Set platform if server is multi-platform capable");
    }

    internal override int Run(Invocation invocation)
    {
        var source = invocation.Arguments[0];
        var remote = source.StartsWith("http://", StringComparison.Ordinal) || source.StartsWith("https://", StringComparison.Ordinal);
        var target = new Query("/images/create")
            .Add("fromSrc", remote ? source : "-")
            .Add("message", invocation.Last(_message))
            .Add("platform", invocation.Last(_platform));
        if (invocation.Arguments.Length > 1)
        {
            target.Add("repo", invocation.Arguments[1]);
        }

        foreach (var change in invocation.All(_change))
        {
            target.Add("changes", change);
        }

        var streams = invocation.Context.Streams;
        if (remote)
        {
            using var answer = invocation.Engine.Send("POST", target);
            new Progress(streams, quiet: false).Follow(answer, invocation.Out.Write);
            return 0;
        }

        using var archive = ArchiveSource.Open(streams, source);
        using var response = invocation.Engine.Upload(target.ToString(), archive);
        new Progress(streams, quiet: false).Follow(response, invocation.Out.Write);
        return 0;
    }
}

/// <summary><c>wherry image bootstrap</c>: a base image made from the distribution's own packages.</summary>
internal sealed class BootstrapCommand : CliCommand
{
    private readonly FlagOption _quiet;

    internal BootstrapCommand()
        : base("[OPTIONS] busybox|debian:SUITE|ubuntu:SUITE", 1, 1)
        => _quiet = Flag("quiet", 'q', "Only print the image's id");

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.BootstrapNames;

    internal override int Run(Invocation invocation)
    {
        using var response = invocation.Engine.Send("POST", new Query("/wherry/images/bootstrap").Add("name", invocation.Arguments[0]));
        new Progress(invocation.Context.Streams, invocation.Is(_quiet)).Follow(response, invocation.Out.Write);
        return 0;
    }
}
