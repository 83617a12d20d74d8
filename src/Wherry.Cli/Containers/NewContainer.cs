using Wherry.Api.Contracts.Containers;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Parsing;
using Wherry.Cli.Registry;

namespace Wherry.Cli.Containers;

/// <summary>Creates a container and does what belongs to that on our side: warnings and the id file.</summary>
internal static class NewContainer
{
    /// <summary>Returns the new container's id.</summary>
    internal static string Create(ContainerOptions options, Invocation given, ContainerCreateRequest request)
    {
        var pull = given.Last(options.Pull) ?? "missing";
        if (pull is not ("always" or "missing" or "never"))
        {
            throw new UsageException($"invalid pull option: '{pull}': must be one of \"always\", \"missing\" or \"never\"");
        }

        var idFile = given.Last(options.CidFile);
        if (idFile is { Length: > 0 } && File.Exists(idFile))
        {
            throw new CliException($"container ID file found, make sure the other container isn't running or delete {idFile}", 125);
        }

        var target = new Query("/containers/create").Add("name", given.Last(options.Name)).Add("platform", given.Last(options.Platform));
        if (pull == "always")
        {
            Pull(options, given, request.Image ?? "");
        }

        using var response = Post(options, given, target.ToString(), request, mayPull: pull == "missing");
        using var document = response.ReadJson();
        foreach (var warning in document.RootElement.Items("Warnings"))
        {
            given.Context.Streams.ErrorText.WriteLine("WARNING: " + warning.GetString());
        }

        var id = document.RootElement.Text("Id");
        if (idFile is { Length: > 0 })
        {
            File.WriteAllText(idFile, id);
        }

        return id;
    }

    /// <summary>An image that is not here is pulled, and the container created then.</summary>
    private static HttpResponse Post(ContainerOptions options, Invocation given, string target, ContainerCreateRequest request, bool mayPull)
    {
        try
        {
            return given.Engine.Post(target, RequestJson.Of(request));
        }
        catch (EngineException missing) when (mayPull && missing.Status == 404 && missing.Message.StartsWith("No such image", StringComparison.Ordinal))
        {
            if (!given.Is(options.Quiet))
            {
                given.Context.Streams.ErrorText.WriteLine($"Unable to find image '{ImageName.InFull(request.Image ?? "")}' locally");
            }

            Pull(options, given, request.Image ?? "");
            return given.Engine.Post(target, RequestJson.Of(request));
        }
    }

    private static void Pull(ContainerOptions options, Invocation given, string image)
    {
        var quiet = given.Is(options.Quiet);
        try
        {
            PullCommand.Pull(given, image, given.Last(options.Platform), all: false, new Progress(given.Context.Streams, quiet), quiet ? null : given.Context.Streams.ErrorText.Write);
        }
        catch (Exception failure) when (failure is EngineException or CliException { Hint: null } && ImageName.CanBeBootstrapped(image))
        {
            throw new CliException(failure.Message) { Hint = $"Without a registry 'wherry image bootstrap {image}' makes it." };
        }
    }
}
