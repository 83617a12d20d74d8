using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Errors;
using Wherry.Storage.Archives;
using Wherry.Storage.Trees;

namespace Wherry.Cli.Registry;

/// <summary><c>wherry artifact push</c>.</summary>
internal sealed class ArtifactPushCommand : CliCommand
{
    private readonly ValueOption _annotation;
    private readonly ValueOption _subject;
    private readonly ValueOption _type;

    internal ArtifactPushCommand()
        : base("[OPTIONS] NAME[:TAG] FILE[:MEDIATYPE] [FILE[:MEDIATYPE]...]", 1)
    {
        _annotation = List("annotation", null, "Annotate the artifact: KEY=VALUE");
        _subject = Value("subject", null, "string", "Tag or digest, in the same repository, of what the artifact is about");
        _type = Value("type", 't', "string", "Say what the artifact is, by a media type");
    }

    internal override int Run(Invocation invocation)
    {
        var name = invocation.Arguments[0];
        var files = invocation.Arguments.Skip(1).Select(ArtifactFile.Parse).ToList();
        var target = new Query("/wherry/registry/artifact")
            .Add("name", name)
            .Add("artifactType", invocation.Last(_type))
            .Add("subject", invocation.Last(_subject));
        foreach (var annotation in invocation.All(_annotation))
        {
            target.Add("annotation", annotation);
        }

        foreach (var file in files.Where(static file => file.MediaType is not null))
        {
            target.Add("fileType", $"{file.Name}={file.MediaType}");
        }

        var credentials = new StoredCredentials(invocation.Context.Environment).HeaderFor(name);
        using var response = invocation.Engine.Upload("POST", target.ToString(), output => ArtifactFile.Write(files, output), credentials);
        Pushed.Show(invocation, response);
        return 0;
    }
}

/// <summary><c>wherry artifact pull</c>.</summary>
internal sealed class ArtifactPullCommand : CliCommand
{
    private readonly ValueOption _output;

    internal ArtifactPullCommand()
        : base("[OPTIONS] NAME[:TAG|@DIGEST]", 1, 1)
        => _output = Value("output", 'o', "string", "Put the files into this directory (default: the one you are in)");

    internal override int Run(Invocation invocation)
    {
        var directory = Path.GetFullPath(invocation.Last(_output) ?? ".");
        if (!Directory.Exists(directory))
        {
            throw new CliException($"{directory} is not a directory");
        }

        var name = invocation.Arguments[0];
        var target = new Query("/wherry/registry/artifact").Add("name", name);
        using var response = invocation.Engine.Send("GET", target.ToString(), new StoredCredentials(invocation.Context.Environment).HeaderFor(name));
        var files = new List<string>();
        var rules = ExtractionRules.Files with
        {
            SetsOwner = false,
            KeepKind = true,
            Rewrite = entry =>
            {
                files.Add(entry.NameText);
                return entry with { Modified = ArtifactFile.Now };
            },
        };
        try
        {
            using var reader = new TarReader(response, TarEnd.Required);
            using var tree = new TreeExtractor(directory, rules);
            tree.Extract(reader, CancellationToken.None);
        }
        catch (WherryException failure)
        {
            throw new CliException(failure.Message);
        }

        foreach (var file in files)
        {
            invocation.Out.WriteLine(file);
        }

        return 0;
    }
}

/// <summary><c>wherry manifest create</c>.</summary>
internal sealed class ManifestCreateCommand : CliCommand
{
    private readonly ValueOption _annotation;

    internal ManifestCreateCommand()
        : base("[OPTIONS] NAME[:TAG] SOURCE[:TAG|@DIGEST] [SOURCE...]", 2)
        => _annotation = List("annotation", null, "Annotate the manifest list: KEY=VALUE");

    internal override int Run(Invocation invocation)
    {
        var name = invocation.Arguments[0];
        var target = new Query("/wherry/registry/index").Add("name", name);
        foreach (var source in invocation.Arguments.Skip(1))
        {
            target.Add("source", source);
        }

        foreach (var annotation in invocation.All(_annotation))
        {
            target.Add("annotation", annotation);
        }

        using var response = invocation.Engine.Send("POST", target.ToString(), new StoredCredentials(invocation.Context.Environment).HeaderFor(name));
        Pushed.Show(invocation, response);
        return 0;
    }
}

/// <summary>What is at a registry now.</summary>
internal static class Pushed
{
    internal static void Show(Invocation invocation, HttpResponse response)
    {
        using var document = response.ReadJson();
        var pushed = document.RootElement;
        invocation.Out.WriteLine(pushed.Text("Name"));
        invocation.Out.WriteLine($"digest: {pushed.Text("Digest")} size: {pushed.Number("Size")}");
    }
}
