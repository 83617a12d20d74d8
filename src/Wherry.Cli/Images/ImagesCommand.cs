using System.Text.Json;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Images;

/// <summary><c>wherry images</c>.</summary>
internal sealed class ImagesCommand : CliCommand
{
    private const string None = "<none>";

    private readonly FlagOption _all;
    private readonly FlagOption _digests;
    private readonly ValueOption _filter;
    private readonly ValueOption _format;
    private readonly FlagOption _noTruncation;
    private readonly FlagOption _quiet;

    internal ImagesCommand()
        : base("[OPTIONS] [REPOSITORY[:TAG]]", 0, 1)
    {
        _all = Flag("all", 'a', "Show all images (default hides intermediate images)");
        _digests = Flag("digests", null, "Show digests");
        _filter = List("filter", 'f', "Filter output based on conditions provided", "filter");
        _format = Value("format", null, "string", "Format output: 'table', 'table TEMPLATE', 'json' or a Go template");
        _noTruncation = Flag("no-trunc", null, "Don't truncate output");
        _noTruncation.AlsoSpelled = "--notrunc";
        _quiet = Flag("quiet", 'q', "Only show image IDs");
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Images;

    internal override int Run(Invocation invocation)
    {
        var filters = invocation.ConvertAll(_filter, FilterSpec.Parse);
        if (invocation.Arguments is [var reference])
        {
            filters.Add(("reference", reference));
        }

        var target = new Query("/images/json").AddFlag("all", invocation.Is(_all)).Add("filters", FilterSpec.Compose(filters));
        using var document = invocation.Engine.Get(target);
        var format = invocation.Last(_format);
        var truncate = !invocation.Is(_noTruncation);
        if (invocation.Is(_quiet) && format is null)
        {
            foreach (var id in document.RootElement.Items().Select(static i => i.Text("Id")))
            {
                invocation.Out.WriteLine(truncate ? ImageName.ShortId(id) : id);
            }

            return 0;
        }

        string[] shown = invocation.Is(_digests)
            ? ["Repository", "Tag", "Digest", "ID", "CreatedSince", "Size"]
            : ["Repository", "Tag", "ID", "CreatedSince", "Size"];
        new ListView(Columns(truncate), shown).Write(invocation.Context.Streams, document.RootElement.Items().SelectMany(Names), format);
        return 0;
    }

    /// <summary>One row per name: an image with two names is listed twice, one without a name once.</summary>
    private static IEnumerable<JsonElement> Names(JsonElement image)
    {
        var tags = image.Items("RepoTags").Select(static t => t.GetString() ?? "").Where(static t => t != "<none>:<none>").ToArray();
        foreach (var tag in tags.Length > 0 ? tags : [""])
        {
            yield return With(image, tag);
        }
    }

    private static JsonElement With(JsonElement image, string tag)
    {
        var (repository, name) = tag.Length == 0 ? (None, None) : ImageName.Split(tag);
        var digest = image.Items("RepoDigests").Select(static d => d.GetString() ?? "").FirstOrDefault(d => d.StartsWith(repository + "@", StringComparison.Ordinal));
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("Repository", repository);
            writer.WriteString("Tag", name);
            writer.WriteString("Digest", digest is null ? None : digest[(repository.Length + 1)..]);
            writer.WriteString("Id", image.Text("Id"));
            writer.WriteNumber("Created", image.Number("Created"));
            writer.WriteNumber("Size", image.Number("Size"));
            writer.WriteNumber("Containers", image.Number("Containers"));
            writer.WriteEndObject();
        }

        var reader = new Utf8JsonReader(stream.GetBuffer().AsSpan(0, (int)stream.Length));
        return JsonElement.ParseValue(ref reader);
    }

    private static Column[] Columns(bool truncate) =>
    [
        new("Repository", "REPOSITORY", static row => row.Text("Repository"), Flexible: true),
        new("Tag", "TAG", static row => row.Text("Tag"), Flexible: true),
        new("Digest", "DIGEST", static row => row.Text("Digest"), Flexible: true),
        new("ID", "IMAGE ID", row => truncate ? ImageName.ShortId(row.Text("Id")) : row.Text("Id")),
        new("CreatedSince", "CREATED", static row => Units.Ago(row.Number("Created"))),
        new("CreatedAt", "CREATED AT", static row => Units.LocalTime(row.Number("Created"))),
        new("Size", "SIZE", static row => Units.Size(row.Number("Size"))),
        new("Containers", "CONTAINERS", static row => row.Number("Containers") is var count and >= 0 ? count.ToString() : "N/A"),
        new("SharedSize", "SHARED SIZE", static _ => "N/A"),
        new("UniqueSize", "UNIQUE SIZE", static _ => "N/A"),
        new("VirtualSize", "SIZE", static row => Units.Size(row.Number("Size"))),
    ];
}
