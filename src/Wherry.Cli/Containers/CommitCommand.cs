using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry commit</c>.</summary>
internal sealed class CommitCommand : CliCommand
{
    private readonly ValueOption _author;
    private readonly ValueOption _change;
    private readonly ValueOption _message;
    private readonly FlagOption _pause;

    internal CommitCommand()
        : base("[OPTIONS] CONTAINER [REPOSITORY[:TAG]]", 1, 2)
    {
        _author = Value("author", 'a', "string", "Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")");
        _change = List("change", 'c', "Apply Dockerfile instruction to the created image");
        _message = Value("message", 'm', "string", "Commit message");
        _pause = Flag("pause", 'p', "Pause container during commit (default true)");
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Containers;

    internal override int Run(Invocation invocation)
    {
        var (repository, tag) = invocation.Arguments.Length > 1 ? ImageName.ForTagging(invocation.Arguments[1]) : ("", "");
        var target = new Query("/commit")
            .Add("container", invocation.Arguments[0])
            .Add("repo", repository)
            .Add("tag", tag)
            .Add("author", invocation.Text(_author))
            .Add("comment", invocation.Text(_message));
        foreach (var change in invocation.All(_change))
        {
            target.Add("changes", change);
        }

        if (invocation.Has(_pause) && !invocation.Is(_pause))
        {
            target.Add("pause", "0");
        }

        using var response = invocation.Engine.Send("POST", target);
        using var document = response.ReadJson();
        invocation.Out.WriteLine(document.RootElement.Text("Id"));
        return 0;
    }
}
