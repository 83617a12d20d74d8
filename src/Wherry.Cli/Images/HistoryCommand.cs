using System.Globalization;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Images;

/// <summary><c>wherry history</c>.</summary>
internal sealed class HistoryCommand : CliCommand
{
    private readonly ValueOption _format;
    private readonly FlagOption _human;
    private readonly FlagOption _noTruncation;
    private readonly FlagOption _quiet;

    internal HistoryCommand()
        : base("[OPTIONS] IMAGE", 1, 1)
    {
        _format = Value("format", null, "string", "Format output: 'table', 'table TEMPLATE', 'json' or a Go template");
        _human = Flag("human", 'H', "Print sizes and dates in human readable format (default true)");
        _noTruncation = Flag("no-trunc", null, "Don't truncate output");
        _noTruncation.AlsoSpelled = "--notrunc";
        _quiet = Flag("quiet", 'q', "Only show image IDs");
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Images;

    internal override int Run(Invocation invocation)
    {
        using var document = invocation.Engine.Get($"/images/{Query.Segment(invocation.Arguments[0])}/history");
        var truncate = !invocation.Is(_noTruncation);
        var human = !invocation.Has(_human) || invocation.Is(_human);
        if (invocation.Is(_quiet) && !invocation.Has(_format))
        {
            foreach (var id in document.RootElement.Items().Select(static r => r.Text("Id")))
            {
                invocation.Out.WriteLine(truncate ? ImageName.ShortId(id) : id);
            }

            return 0;
        }

        new ListView(Columns(truncate, human), "ID", "CreatedSince", "CreatedBy", "Size", "Comment")
            .Write(invocation.Context.Streams, document.RootElement.Items(), invocation.Last(_format));
        return 0;
    }

    private static Column[] Columns(bool truncate, bool human) =>
    [
        new("ID", "IMAGE", row => truncate ? ImageName.ShortId(row.Text("Id")) : row.Text("Id")),
        new("CreatedSince", human ? "CREATED" : "CREATED AT", row => human ? Units.Ago(row.Number("Created")) : Iso(row.Number("Created"))),
        new("CreatedAt", "CREATED AT", static row => Iso(row.Number("Created"))),
        new("CreatedBy", "CREATED BY", row => CreatedBy(row.Text("CreatedBy"), truncate), Flexible: true),
        new("Size", "SIZE", row => human ? Units.Size(row.Number("Size")) : row.Number("Size").ToString(CultureInfo.InvariantCulture)),
        new("Comment", "COMMENT", static row => row.Text("Comment"), Flexible: true),
        new("Tags", "TAGS", static row => string.Join(',', row.Items("Tags").Select(static t => t.GetString()))),
    ];

    private static string CreatedBy(string text, bool truncate)
    {
        const int Shown = 45;
        text = text.Replace('\t', ' ');
        return truncate && text.Length > Shown ? string.Concat(text.AsSpan(0, Shown - 1), "…") : text;
    }

    private static string Iso(long seconds)
        => seconds <= 0 ? "" : DateTimeOffset.FromUnixTimeSeconds(seconds).ToLocalTime().ToString("yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture);
}
