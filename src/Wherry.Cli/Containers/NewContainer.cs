using Wherry.Api.Contracts.Containers;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;

namespace Wherry.Cli.Containers;

/// <summary>Creates a container and does what belongs to that on our side: warnings and the id file.</summary>
internal static class NewContainer
{
    /// <summary>Returns the new container's id.</summary>
    internal static string Create(ContainerOptions options, Invocation given, ContainerCreateRequest request)
    {
        if (given.Last(options.Pull) is { } pull && pull is not ("missing" or "never"))
        {
            throw pull == "always"
                ? new CliException("--pull always: this engine has no registry client, so it can't pull images", 125)
                {
                    Hint = "Make the image with 'wherry image bootstrap', or use 'wherry load' or 'wherry import', and run without --pull.",
                }
                : new UsageException($"invalid pull option: '{pull}': must be one of \"always\", \"missing\" or \"never\"");
        }

        var idFile = given.Last(options.CidFile);
        if (idFile is { Length: > 0 } && File.Exists(idFile))
        {
            throw new CliException($"container ID file found, make sure the other container isn't running or delete {idFile}", 125);
        }

        var target = new Query("/containers/create").Add("name", given.Last(options.Name)).Add("platform", given.Last(options.Platform));
        using var response = given.Engine.Post(target.ToString(), RequestJson.Of(request));
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
}
