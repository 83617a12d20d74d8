using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Registry;

/// <summary><c>wherry pull</c>.</summary>
internal sealed class PullCommand : CliCommand
{
    private readonly FlagOption _all;
    private readonly ValueOption _platform;
    private readonly FlagOption _quiet;

    internal PullCommand()
        : base("[OPTIONS] NAME[:TAG|@DIGEST]", 1, 1)
    {
        _all = Flag("all-tags", 'a', "Download all tagged images in the repository");
        _platform = Value("platform", null, "string", "Set platform if server is multi-platform capable");
        _quiet = Flag("quiet", 'q', "Suppress verbose output");
    }

    internal override int Run(Invocation invocation)
    {
        var name = invocation.Arguments[0];
        var all = invocation.Is(_all);
        if (all && (name.Contains('@', StringComparison.Ordinal) || ImageName.Split(name).Tag.Length > 0))
        {
            throw new CliException("tag can't be used with --all-tags/-a");
        }

        var quiet = invocation.Is(_quiet);
        Pull(invocation, name, invocation.Last(_platform), all, new Progress(invocation.Context.Streams, quiet), quiet ? null : invocation.Out.Write);
        if (quiet)
        {
            invocation.Out.WriteLine(name);
        }

        return 0;
    }

    /// <summary>Has the engine pull, with the user's credentials, and shows how it goes.</summary>
    internal static void Pull(Invocation invocation, string name, string? platform, bool all, Progress progress, Action<string>? onText)
    {
        var target = new Query("/images/create").Add("platform", platform);
        if (name.Contains('@', StringComparison.Ordinal))
        {
            target.Add("fromImage", name);
        }
        else
        {
            var (repository, tag) = ImageName.Split(name);
            target.Add("fromImage", repository).Add("tag", all ? null : tag.Length == 0 ? "latest" : tag);
        }

        using var response = invocation.Engine.Send("POST", target.ToString(), new StoredCredentials(invocation.Context.Environment).HeaderFor(name));
        progress.Follow(response, onText ?? (static _ => { }));
    }
}

/// <summary><c>wherry push</c>.</summary>
internal sealed class PushCommand : CliCommand
{
    private readonly FlagOption _all;
    private readonly ValueOption _compression;
    private readonly ValueOption _platform;
    private readonly FlagOption _quiet;

    internal PushCommand()
        : base("[OPTIONS] NAME[:TAG]", 1, 1)
    {
        _all = Flag("all-tags", 'a', "Push all tags of an image to the repository");
        _compression = Value("compression", null, "string", "Send layers compressed so: gzip or zstd (default: as they are, plain ones with gzip)");
        _platform = Value("platform", null, "string", "Push only an image of this platform");
        _quiet = Flag("quiet", 'q', "Suppress verbose output");
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Images;

    internal override int Run(Invocation invocation)
    {
        var name = invocation.Arguments[0];
        var (repository, tag) = ImageName.Split(name);
        var all = invocation.Is(_all);
        if (all && tag.Length > 0)
        {
            throw new CliException("tag can't be used with --all-tags/-a");
        }

        var target = new Query($"/images/{Query.Segment(repository)}/push")
            .Add("tag", all ? null : tag.Length == 0 ? "latest" : tag)
            .Add("platform", invocation.Last(_platform))
            .Add("compression", invocation.Last(_compression));
        var quiet = invocation.Is(_quiet);
        var credentials = new StoredCredentials(invocation.Context.Environment);
        using var response = invocation.Engine.Send("POST", target.ToString(), credentials.HeaderFor(name));
        new Progress(invocation.Context.Streams, quiet).Follow(response, quiet ? static _ => { } : invocation.Out.Write);
        if (quiet)
        {
            invocation.Out.WriteLine(name);
        }

        return 0;
    }
}

/// <summary><c>wherry search</c>.</summary>
internal sealed class SearchCommand : CliCommand
{
    private readonly ValueOption _filter;
    private readonly ValueOption _format;
    private readonly ValueOption _limit;
    private readonly FlagOption _noTruncation;

    internal SearchCommand()
        : base("[OPTIONS] TERM", 1, 1)
    {
        _filter = List("filter", 'f', "Filter output based on conditions provided", "filter");
        _format = Value("format", null, "string", "Format output: 'table', 'table TEMPLATE', 'json' or a Go template");
        _limit = Value("limit", null, "int", "Max number of search results");
        _noTruncation = Flag("no-trunc", null, "Don't truncate output");
    }

    internal override int Run(Invocation invocation)
    {
        var target = new Query("/images/search").Add("term", invocation.Arguments[0]).Add("limit", invocation.Last(_limit)).Add("filters", FilterSpec.Compose(invocation.ConvertAll(_filter, FilterSpec.Parse)));
        var credentials = new StoredCredentials(invocation.Context.Environment);
        using var response = invocation.Engine.Send("GET", target.ToString(), credentials.HeaderFor(invocation.Arguments[0]));
        using var document = response.ReadJson();
        var truncate = !invocation.Is(_noTruncation);
        Column[] columns =
        [
            new("Name", "NAME", static row => row.Text("name")),
            new("Description", "DESCRIPTION", row => Shown(row.Text("description"), truncate), Flexible: true),
            new("StarCount", "STARS", static row => row.Number("star_count")),
            new("IsOfficial", "OFFICIAL", static row => row.Truth("is_official") ? "[OK]" : ""),
            new("IsAutomated", "AUTOMATED", static row => row.Truth("is_automated") ? "[OK]" : ""),
        ];
        new ListView(columns, "Name", "Description", "StarCount", "IsOfficial").Write(invocation.Context.Streams, document.RootElement.Items(), invocation.Last(_format));
        return 0;
    }

    private static string Shown(string description, bool truncate)
    {
        const int Length = 45;
        description = description.Replace('\n', ' ').Replace('\r', ' ');
        return truncate && description.Length > Length ? string.Concat(description.AsSpan(0, Length - 1), "…") : description;
    }
}
