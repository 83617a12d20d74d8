using System.Globalization;
using System.Text.Json;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Cleaning;

/// <summary><c>wherry system df</c>.</summary>
internal sealed class DiskUsageCommand : CliCommand
{
    private static readonly (string Member, string Title)[] Kinds =
    [
        ("ImageUsage", "Images"),
        ("ContainerUsage", "Containers"),
        ("VolumeUsage", "Local Volumes"),
        ("BuildCacheUsage", "Build Cache"),
    ];

    private readonly ValueOption _format;
    private readonly FlagOption _verbose;

    internal DiskUsageCommand()
        : base("[OPTIONS]", 0, 0)
    {
        _format = Value("format", null, "string", "Format output: 'table', 'table TEMPLATE', 'json' or a Go template");
        _verbose = Flag("verbose", 'v', "Show detailed information on space usage");
    }

    internal override int Run(Invocation invocation)
    {
        var verbose = invocation.Is(_verbose);
        if (verbose && invocation.Has(_format))
        {
            throw new CliException("the verbose option does not support a format");
        }

        using var document = invocation.Engine.Get(new Query("/system/df").AddFlag("verbose", verbose));
        if (verbose)
        {
            Details(invocation, document.RootElement);
        }
        else
        {
            new ListView(Columns(), "Type", "TotalCount", "Active", "Size", "Reclaimable")
                .Write(invocation.Context.Streams, Rows(document.RootElement), invocation.Last(_format));
        }

        return 0;
    }

    private static IEnumerable<JsonElement> Rows(JsonElement usage)
    {
        foreach (var (member, title) in Kinds)
        {
            var kind = usage.At(member);
            using var stream = new MemoryStream();
            using (var writer = new Utf8JsonWriter(stream))
            {
                writer.WriteStartObject();
                writer.WriteString("Type", title);
                foreach (var name in (ReadOnlySpan<string>)["TotalCount", "ActiveCount", "TotalSize", "Reclaimable"])
                {
                    writer.WriteNumber(name, kind.Number(name));
                }

                writer.WriteEndObject();
            }

            var reader = new Utf8JsonReader(stream.GetBuffer().AsSpan(0, (int)stream.Length));
            yield return JsonElement.ParseValue(ref reader);
        }
    }

    private static Column[] Columns() =>
    [
        new("Type", "TYPE", static row => row.Text("Type")),
        new("TotalCount", "TOTAL", static row => row.Number("TotalCount").ToString(CultureInfo.InvariantCulture)),
        new("Active", "ACTIVE", static row => row.Number("ActiveCount").ToString(CultureInfo.InvariantCulture)),
        new("Size", "SIZE", static row => Units.Size(row.Number("TotalSize"))),
        new("Reclaimable", "RECLAIMABLE", static row => Reclaimable(row)),
    ];

    private static string Reclaimable(JsonElement row)
    {
        var (part, whole) = (row.Number("Reclaimable"), row.Number("TotalSize"));
        return whole > 0 ? $"{Units.Size(part)} ({part * 100 / whole}%)" : Units.Size(part);
    }

    private static void Details(Invocation invocation, JsonElement usage)
    {
        var streams = invocation.Context.Streams;
        invocation.Out.WriteLine("Images space usage:\n");
        Column[] images =
        [
            new("Repository", "REPOSITORY", static row => Name(row).Repository),
            new("Tag", "TAG", static row => Name(row).Tag),
            new("ID", "IMAGE ID", static row => ImageName.ShortId(row.Text("Id"))),
            new("CreatedSince", "CREATED", static row => Units.Ago(row.Number("Created"))),
            new("Size", "SIZE", static row => Units.Size(row.Number("Size"))),
            new("SharedSize", "SHARED SIZE", static row => Units.Size(row.Number("SharedSize"))),
            new("UniqueSize", "UNIQUE SIZE", static row => Units.Size(row.Number("Size") - row.Number("SharedSize"))),
            new("Containers", "CONTAINERS", static row => row.Number("Containers").ToString(CultureInfo.InvariantCulture)),
        ];
        new ListView(images, [.. images.Select(static column => column.Name)]).Write(streams, usage.Items("ImageUsage", "Items"), null);

        invocation.Out.WriteLine("\nContainers space usage:\n");
        Column[] containers =
        [
            new("ID", "CONTAINER ID", static row => row.Text("Id") is { Length: > 12 } id ? id[..12] : row.Text("Id")),
            new("Image", "IMAGE", static row => row.Text("Image")),
            new("Command", "COMMAND", static row => $"\"{row.Text("Command")}\"", Flexible: true),
            new("LocalVolumes", "LOCAL VOLUMES", static row => row.Items("Mounts").Count(static mount => mount.Text("Type") == "volume").ToString(CultureInfo.InvariantCulture)),
            new("Size", "SIZE", static row => Units.Size(row.Number("SizeRw"))),
            new("RunningFor", "CREATED", static row => Units.Ago(row.Number("Created"))),
            new("Status", "STATUS", static row => row.Text("Status")),
            new("Names", "NAMES", static row => string.Join(',', row.Items("Names").Select(static name => name.GetString()?.TrimStart('/')))),
        ];
        new ListView(containers, [.. containers.Select(static column => column.Name)]).Write(streams, usage.Items("ContainerUsage", "Items"), null);

        invocation.Out.WriteLine("\nLocal Volumes space usage:\n");
        Column[] volumes =
        [
            new("Name", "VOLUME NAME", static row => row.Text("Name")),
            new("Links", "LINKS", static row => row.Number("UsageData", "RefCount").ToString(CultureInfo.InvariantCulture)),
            new("Size", "SIZE", static row => Units.Size(row.Number("UsageData", "Size"))),
        ];
        new ListView(volumes, [.. volumes.Select(static column => column.Name)]).Write(streams, usage.Items("VolumeUsage", "Items"), null);
    }

    private static (string Repository, string Tag) Name(JsonElement image) =>
        image.Items("RepoTags").Select(static tag => tag.GetString() ?? "").FirstOrDefault(static tag => tag.Length > 0 && tag != "<none>:<none>") is { } first
            ? ImageName.Split(first)
            : ("<none>", "<none>");
}
