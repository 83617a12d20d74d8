using System.Text.Json;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Formatting.Templates;

namespace Wherry.Cli.Registry;

/// <summary><c>wherry manifest inspect</c>: an image's manifest or index at its registry, nothing pulled.</summary>
internal sealed class ManifestInspectCommand : CliCommand
{
    private readonly ValueOption _format;
    private readonly FlagOption _verbose;

    internal ManifestInspectCommand()
        : base("[OPTIONS] NAME[:TAG|@DIGEST]", 1, 1)
    {
        _format = Value("format", 'f', "string", "Format output: 'json' or a Go template");
        _verbose = Flag("verbose", 'v', "Output additional info: digests, platforms and configurations of all manifests");
    }

    internal override int Run(Invocation invocation)
    {
        using var document = Remote.Get(invocation, new Query("/wherry/registry/image").Add("name", invocation.Arguments[0]));
        var shown = invocation.Is(_verbose) ? document.RootElement : document.RootElement.At("Document");
        if (invocation.Last(_format) is { Length: > 0 } format and not "json")
        {
            invocation.Out.WriteLine(Template.Parse(format).Apply(document.RootElement));
            return 0;
        }

        invocation.Out.Flush();
        using (var writer = new Utf8JsonWriter(invocation.Out.BaseStream, JsonText.Indented))
        {
            shown.WriteTo(writer);
        }

        invocation.Out.WriteLine();
        return 0;
    }
}

/// <summary><c>wherry image tags</c>.</summary>
internal sealed class TagsCommand() : CliCommand("REPOSITORY", 1, 1)
{
    internal override int Run(Invocation invocation)
    {
        using var document = Remote.Get(invocation, new Query("/wherry/registry/tags").Add("name", invocation.Arguments[0]));
        foreach (var tag in document.RootElement.Items())
        {
            invocation.Out.WriteLine(tag.GetString());
        }

        return 0;
    }
}

/// <summary><c>wherry image referrers</c>: signatures, bills of materials and other artifacts that refer to an image.</summary>
internal sealed class ReferrersCommand : CliCommand
{
    private readonly ValueOption _format;
    private readonly ValueOption _type;

    internal ReferrersCommand()
        : base("[OPTIONS] NAME[:TAG|@DIGEST]", 1, 1)
    {
        _format = Value("format", null, "string", "Format output: 'table', 'table TEMPLATE', 'json' or a Go template");
        _type = Value("artifact-type", null, "string", "Show artifacts of this type only");
    }

    internal override int Run(Invocation invocation)
    {
        using var document = Remote.Get(invocation, new Query("/wherry/registry/referrers").Add("name", invocation.Arguments[0]).Add("artifactType", invocation.Last(_type)));
        Column[] columns =
        [
            new("Digest", "DIGEST", static row => row.Text("digest")),
            new("ArtifactType", "ARTIFACT TYPE", static row => row.Text("artifactType")),
            new("MediaType", "MEDIA TYPE", static row => row.Text("mediaType")),
            new("Size", "SIZE", static row => Units.Size(row.Number("size"))),
        ];
        new ListView(columns, "Digest", "ArtifactType", "Size").Write(invocation.Context.Streams, document.RootElement.Items(), invocation.Last(_format));
        return 0;
    }
}

/// <summary>Questions to a registry that the engine passes on.</summary>
internal static class Remote
{
    internal static JsonDocument Get(Invocation invocation, Query target)
    {
        var credentials = new StoredCredentials(invocation.Context.Environment);
        using var response = invocation.Engine.Send("GET", target.ToString(), credentials.HeaderFor(invocation.Arguments[0]));
        return response.ReadJson();
    }
}
