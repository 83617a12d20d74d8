using System.Text.Json;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Formatting.Templates;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry inspect</c>, and <c>inspect</c> of one type of object in its group.</summary>
internal sealed class InspectCommand : CliCommand
{
    private static readonly string[] Known = ["container", "image", "volume"];

    private readonly string? _onlyType;
    private readonly ValueOption _format;
    private readonly FlagOption? _size;
    private readonly ValueOption? _type;

    internal InspectCommand(string? onlyType)
        : base("[OPTIONS] NAME|ID [NAME|ID...]", 1)
    {
        _onlyType = onlyType;
        _format = Value("format", 'f', "string", "Format output: 'json' or a Go template");
        if (onlyType is null)
        {
            _type = Value("type", null, "string", "Only inspect objects of the given type");
        }

        if (onlyType is null or "container")
        {
            _size = Flag("size", 's', "Display total file sizes if the type is container");
        }
    }

    internal override Completion.CompletionSource Completes => _onlyType switch
    {
        "image" => Completion.CompletionSource.Images,
        "volume" => Completion.CompletionSource.Volumes,
        _ => Completion.CompletionSource.Containers,
    };

    internal override int Run(Invocation invocation)
    {
        var type = _onlyType ?? (_type is null ? null : invocation.Last(_type));
        if (type is { Length: > 0 } && !Known.Contains(type))
        {
            throw new CliException($"unknown type: \"{type}\": must be one of \"container\", \"image\", \"volume\"");
        }

        var format = invocation.Last(_format);
        var template = format is null or "" or "json" ? null : Template.Parse(format);
        var types = type is { Length: > 0 } ? [type] : Known;
        var documents = new List<JsonDocument>();
        var failed = false;
        foreach (var name in invocation.Arguments)
        {
            try
            {
                documents.Add(Find(invocation, types, name));
            }
            catch (EngineException e)
            {
                failed = true;
                ErrorText.Write(invocation.Context.Streams.ErrorText, e);
            }
        }

        if (template is not null)
        {
            documents.ForEach(d => invocation.Out.WriteLine(template.Apply(d.RootElement)));
        }
        else if (format == "json")
        {
            documents.ForEach(d => invocation.Out.WriteLine(TemplateValues.Json(d.RootElement)));
        }
        else
        {
            WriteArray(invocation.Out, documents);
        }

        return failed ? 1 : 0;
    }

    private JsonDocument Find(Invocation invocation, string[] types, string name)
    {
        var segment = Query.Segment(name);
        foreach (var type in types)
        {
            var target = type switch
            {
                "container" => new Query($"/containers/{segment}/json").AddFlag("size", _size is not null && invocation.Is(_size)),
                "image" => new Query($"/images/{segment}/json"),
                _ => new Query($"/volumes/{segment}"),
            };
            try
            {
                return invocation.Engine.Get(target);
            }
            catch (EngineException e) when (types.Length > 1 && e.Status is 404 or 400)
            {
                // Not one of these; perhaps the next type has it.
            }
        }

        throw new EngineException(404, types.Length == 1 ? $"No such {types[0]}: {name}" : $"no such object: {name}");
    }

    private static void WriteArray(StreamWriter output, List<JsonDocument> documents)
    {
        output.Flush();
        using (var writer = new Utf8JsonWriter(output.BaseStream, JsonText.Indented))
        {
            writer.WriteStartArray();
            documents.ForEach(d => d.RootElement.WriteTo(writer));
            writer.WriteEndArray();
        }

        output.WriteLine();
    }
}
