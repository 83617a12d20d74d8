using Wherry.Api.Contracts.Volumes;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Containers;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Formatting.Templates;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Volumes;

/// <summary><c>wherry volume create</c>.</summary>
internal sealed class CreateVolumeCommand : CliCommand
{
    private readonly ValueOption _driver;
    private readonly ValueOption _label;
    private readonly ValueOption _name;
    private readonly ValueOption _options;

    internal CreateVolumeCommand()
        : base("[OPTIONS] [VOLUME]", 0, 1)
    {
        _driver = Value("driver", 'd', "string", "Specify volume driver name (default \"local\")");
        _label = List("label", null, "Set metadata for a volume");
        _name = Hidden(Value("name", null, "string", "Specify volume name"));
        _options = List("opt", 'o', "Set driver specific options", "map");
    }

    internal override int Run(Invocation invocation)
    {
        if (invocation.Has(_name) && invocation.Arguments.Length > 0)
        {
            throw new CliException("conflicting options: cannot specify a volume-name through both --name and as a positional arg");
        }

        var request = new VolumeCreateRequest
        {
            Name = invocation.Arguments is [var name] ? name : invocation.Text(_name),
            Driver = invocation.Last(_driver) ?? "local",
            DriverOpts = VariableList.Map(invocation.All(_options)),
            Labels = VariableList.Map(invocation.All(_label)),
        };
        using var response = invocation.Engine.Post("/volumes/create", RequestJson.Of(request));
        using var document = response.ReadJson();
        invocation.Out.WriteLine(document.RootElement.Text("Name"));
        return 0;
    }
}

/// <summary><c>wherry volume ls</c>.</summary>
internal sealed class VolumesCommand : CliCommand
{
    private readonly ValueOption _filter;
    private readonly ValueOption _format;
    private readonly FlagOption _quiet;

    internal VolumesCommand()
        : base("[OPTIONS]", 0, 0)
    {
        _filter = List("filter", 'f', "Provide filter values (e.g. \"dangling=true\")", "filter");
        _format = Value("format", null, "string", "Format output: 'table', 'table TEMPLATE', 'json' or a Go template");
        _quiet = Flag("quiet", 'q', "Only display volume names");
    }

    internal override int Run(Invocation invocation)
    {
        using var document = invocation.Engine.Get(new Query("/volumes").Add("filters", FilterSpec.Compose(invocation.ConvertAll(_filter, FilterSpec.Parse))));
        var volumes = document.RootElement.Items("Volumes").OrderBy(static v => v.Text("Name"), StringComparer.Ordinal);
        var format = invocation.Last(_format);
        if (invocation.Is(_quiet) && format is null)
        {
            foreach (var volume in volumes)
            {
                invocation.Out.WriteLine(volume.Text("Name"));
            }

            return 0;
        }

        Column[] columns =
        [
            new("Driver", "DRIVER", static row => row.Text("Driver")),
            new("Name", "VOLUME NAME", static row => row.Text("Name")),
            new("Scope", "SCOPE", static row => row.Text("Scope")),
            new("Mountpoint", "MOUNTPOINT", static row => row.Text("Mountpoint")),
            new("Labels", "LABELS", static row => string.Join(',', row.Members("Labels").Select(static l => $"{l.Name}={l.Value.GetString()}"))),
            new("Label", "LABEL", static row => TemplateMethods.Label(row)),
            new("Links", "LINKS", static row => row.At("UsageData").ValueKind == System.Text.Json.JsonValueKind.Object ? row.Number("UsageData", "RefCount").ToString() : "N/A"),
            new("Size", "SIZE", static row => row.At("UsageData").ValueKind == System.Text.Json.JsonValueKind.Object ? Units.Size(row.Number("UsageData", "Size")) : "N/A"),
        ];
        new ListView(columns, "Driver", "Name").Write(invocation.Context.Streams, volumes, format);
        return 0;
    }
}

/// <summary><c>wherry volume rm</c>.</summary>
internal sealed class RemoveVolumesCommand : CliCommand
{
    private readonly FlagOption _force;

    internal RemoveVolumesCommand()
        : base("[OPTIONS] VOLUME [VOLUME...]", 1)
        => _force = Flag("force", 'f', "Force the removal of one or more volumes");

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Volumes;

    internal override int Run(Invocation invocation) => Each.Container(
        invocation,
        name => invocation.Engine.Call("DELETE", new Query($"/volumes/{Query.Segment(name)}").AddFlag("force", invocation.Is(_force))));
}
