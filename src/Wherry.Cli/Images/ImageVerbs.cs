using Wherry.Cli.CommandLine;
using Wherry.Cli.Containers;
using Wherry.Cli.Engine;
using Wherry.Cli.Files;
using Wherry.Cli.Formatting;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Images;

/// <summary><c>wherry tag</c>.</summary>
internal sealed class TagCommand() : CliCommand("SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", 2, 2)
{
    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Images;

    internal override int Run(Invocation invocation)
    {
        var (repository, tag) = ImageName.ForTagging(invocation.Arguments[1]);
        invocation.Engine.Call("POST", new Query($"/images/{Query.Segment(invocation.Arguments[0])}/tag").Add("repo", repository).Add("tag", tag));
        return 0;
    }
}

/// <summary><c>wherry rmi</c>.</summary>
internal sealed class RemoveImagesCommand : CliCommand
{
    private readonly FlagOption _force;
    private readonly FlagOption _noPrune;

    internal RemoveImagesCommand()
        : base("[OPTIONS] IMAGE [IMAGE...]", 1)
    {
        _force = Flag("force", 'f', "Force removal of the image");
        _noPrune = Flag("no-prune", null, "Do not delete untagged parents");
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Images;

    internal override int Run(Invocation invocation) => Each.Object(invocation, name =>
    {
        var target = new Query($"/images/{Query.Segment(name)}").AddFlag("force", invocation.Is(_force)).AddFlag("noprune", invocation.Is(_noPrune));
        using var response = invocation.Engine.Send("DELETE", target);
        using var document = response.ReadJson();
        foreach (var item in document.RootElement.Items())
        {
            invocation.Out.WriteLine(item.Text("Untagged") is { Length: > 0 } untagged ? $"Untagged: {untagged}" : $"Deleted: {item.Text("Deleted")}");
        }
    });
}

/// <summary><c>wherry save</c>.</summary>
internal sealed class SaveCommand : CliCommand
{
    private readonly ValueOption _compression;
    private readonly ValueOption _exclude;
    private readonly ValueOption _format;
    private readonly ValueOption _output;

    internal SaveCommand()
        : base("[OPTIONS] IMAGE [IMAGE...]", 1)
    {
        _compression = Value("compression", null, "string", "Compress layers: none, gzip or zstd (default as stored)");
        _exclude = List("exclude-layers-of", null, "Leave out the layers of an image that the other side has", "image");
        _format = Value("format", null, "string", "docker (with an OCI layout inside; default) or oci");
        _output = Value("output", 'o', "string", "Write to a file, instead of STDOUT");
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Images;

    internal override int Run(Invocation invocation)
    {
        var streams = invocation.Context.Streams;
        var path = invocation.Last(_output);
        if (path is null && streams.OutputIsTerminal)
        {
            throw new CliException("cowardly refusing to save to a terminal. Use the -o flag or redirect");
        }

        var target = new Query("/images/get").Add("format", invocation.Last(_format)).Add("compression", invocation.Last(_compression));
        foreach (var name in invocation.Arguments)
        {
            target.Add("names", name);
        }

        foreach (var name in invocation.All(_exclude))
        {
            target.Add("exclude", name);
        }

        using var response = invocation.Engine.Send("GET", target);
        if (path is null)
        {
            response.CopyTo(streams.Output, 128 * 1024);
            return 0;
        }

        ArchiveFile.Write(response, path, "failed to save image");
        return 0;
    }
}
