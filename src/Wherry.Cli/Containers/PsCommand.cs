using System.Text.Json;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Formatting.Templates;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry ps</c>.</summary>
internal sealed class PsCommand : CliCommand
{
    private readonly FlagOption _all;
    private readonly ValueOption _filter;
    private readonly ValueOption _format;
    private readonly ValueOption _last;
    private readonly FlagOption _latest;
    private readonly FlagOption _noTruncation;
    private readonly FlagOption _quiet;
    private readonly FlagOption _size;

    internal PsCommand()
        : base("[OPTIONS]", 0, 0)
    {
        _all = Flag("all", 'a', "Show all containers (default shows just running)");
        _filter = List("filter", 'f', "Filter output based on conditions provided", "filter");
        _format = Value("format", null, "string", "Format output: 'table', 'table TEMPLATE', 'json' or a Go template");
        _last = Value("last", 'n', "int", "Show n last created containers (includes all states) (default -1)");
        _latest = Flag("latest", 'l', "Show the latest created container (includes all states)");
        _noTruncation = Flag("no-trunc", null, "Don't truncate output");
        _noTruncation.AlsoSpelled = "--notrunc";
        _quiet = Flag("quiet", 'q', "Only display container IDs");
        _size = Flag("size", 's', "Display total file sizes");
    }

    internal override int Run(Invocation invocation)
    {
        var limit = invocation.Number(_last) ?? -1;
        if (limit == -1 && invocation.Is(_latest))
        {
            limit = 1;
        }

        var format = invocation.Last(_format);
        var target = new Query("/containers/json")
            .AddFlag("all", invocation.Is(_all))
            .Add("limit", limit > 0 ? limit.ToString() : null)
            .AddFlag("size", invocation.Is(_size) || (format?.Contains(".Size", StringComparison.Ordinal) ?? false))
            .Add("filters", FilterSpec.Compose(invocation.ConvertAll(_filter, FilterSpec.Parse)));
        using var document = invocation.Engine.Get(target);
        var rows = document.RootElement.Items();
        var truncate = !invocation.Is(_noTruncation);
        if (invocation.Is(_quiet) && format is null)
        {
            foreach (var row in rows)
            {
                invocation.Out.WriteLine(truncate ? ImageName.ShortId(row.Text("Id")) : row.Text("Id"));
            }

            return 0;
        }

        string[] shown = ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"];
        var view = new ListView(Columns(truncate), invocation.Is(_size) ? [.. shown, "Size"] : shown);
        view.Write(invocation.Context.Streams, rows, format);
        return 0;
    }

    private static Column[] Columns(bool truncate) =>
    [
        new("ID", "CONTAINER ID", row => truncate ? ImageName.ShortId(row.Text("Id")) : row.Text("Id")),
        new("Names", "NAMES", row => Names(row, truncate), Flexible: true),
        new("Image", "IMAGE", row => Image(row, truncate), Flexible: true),
        new("ImageID", "IMAGE ID", static row => row.Text("ImageID")),
        new("Command", "COMMAND", row => Command(row.Text("Command"), truncate), Flexible: true),
        new("CreatedAt", "CREATED AT", static row => Units.LocalTime(row.Number("Created"))),
        new("RunningFor", "CREATED", static row => Units.Ago(row.Number("Created")), Flexible: true),
        new("Ports", "PORTS", static row => PortList.Describe(row.Items("Ports")), Flexible: true),
        new("State", "STATE", static row => row.Text("State")),
        new("Status", "STATUS", static row => row.Text("Status"), Flexible: true),
        new("Size", "SIZE", static row => Size(row)),
        new("Labels", "LABELS", static row => string.Join(',', row.Members("Labels").Select(static l => $"{l.Name}={l.Value.GetString()}").Order(StringComparer.Ordinal))),
        new("Label", "LABEL", static row => TemplateMethods.Label(row)),
        new("Mounts", "MOUNTS", row => string.Join(',', row.Items("Mounts").Select(m => MountName(m, truncate)))),
        new("LocalVolumes", "LOCAL VOLUMES", static row => row.Items("Mounts").Count(static m => m.Text("Driver") == "local").ToString()),
        new("Networks", "NETWORKS", static row => string.Join(',', row.Members("NetworkSettings", "Networks").Select(static n => n.Name))),
        new("Platform", "PLATFORM", static _ => ""),
    ];

    private static string Names(JsonElement row, bool truncate)
    {
        var names = row.Items("Names").Select(static n => (n.GetString() ?? "").TrimStart('/'));
        return string.Join(',', truncate ? names.Where(static n => !n.Contains('/', StringComparison.Ordinal)) : names);
    }

    private static string Image(JsonElement row, bool truncate)
    {
        var image = row.Text("Image");
        if (image.Length == 0)
        {
            return "<no image>";
        }

        // An image that lost its name is shown by its id, which is shortened like any other.
        return truncate && image.StartsWith("sha256:", StringComparison.Ordinal) ? ImageName.ShortId(image) : image;
    }

    private static string Command(string command, bool truncate)
    {
        const int Shown = 20;
        if (truncate && command.Length > Shown)
        {
            command = string.Concat(command.AsSpan(0, Shown - 1), "…");
        }

        return TemplateValues.Json(command);
    }

    private static string Size(JsonElement row)
    {
        var written = Units.Size(row.Number("SizeRw"));
        return row.Number("SizeRootFs") is > 0 and var total ? $"{written} (virtual {Units.Size(total)})" : written;
    }

    private static string MountName(JsonElement mount, bool truncate)
    {
        const int Shown = 15;
        var name = mount.Text("Name") is { Length: > 0 } volume ? volume : mount.Text("Source");
        return truncate && name.Length > Shown ? string.Concat(name.AsSpan(0, Shown - 1), "…") : name;
    }
}
