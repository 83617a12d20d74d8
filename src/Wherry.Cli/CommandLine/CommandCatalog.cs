using Wherry.Cli.About;
using Wherry.Cli.Cleaning;
using Wherry.Cli.Containers;
using Wherry.Cli.Files;
using Wherry.Cli.Images;
using Wherry.Cli.Registry;
using Wherry.Cli.Volumes;

namespace Wherry.Cli.CommandLine;

/// <summary>
/// A command's names and how to make it. <see cref="Path"/> is the grouped form (<c>container ls</c>) or the only
/// one; <see cref="Short"/> the ungrouped form that most people type.
/// </summary>
internal sealed record CommandEntry(string Path, string? Short, string Summary, Func<CliCommand> Create, params string[] Aliases)
{
    internal string Group => Path.IndexOf(' ') is var space and > 0 ? Path[..space] : "";

    internal string Name => Path[(Path.IndexOf(' ') + 1)..];
}

/// <summary>All commands. Making the table allocates names and delegates only.</summary>
internal static class CommandCatalog
{
    internal static readonly CommandEntry[] Entries =
    [
        new("container run", "run", "Create and run a new container from an image", static () => new RunCommand()),
        new("container exec", "exec", "Execute a command in a running container", static () => new ExecCommand()),
        new("container ls", "ps", "List containers", static () => new PsCommand(), "list", "ps"),
        new("container create", "create", "Create a new container", static () => new CreateCommand()),
        new("container start", "start", "Start one or more stopped containers", static () => new StartCommand()),
        new("container stop", "stop", "Stop one or more running containers", static () => new StopCommand(restart: false)),
        new("container restart", "restart", "Restart one or more containers", static () => new StopCommand(restart: true)),
        new("container kill", "kill", "Kill one or more running containers", static () => new KillCommand()),
        new("container pause", "pause", "Pause all processes within one or more containers", static () => new PauseCommand("pause")),
        new("container unpause", "unpause", "Unpause all processes within one or more containers", static () => new PauseCommand("unpause")),
        new("container wait", "wait", "Block until one or more containers stop, then print their exit codes", static () => new WaitCommand()),
        new("container attach", "attach", "Attach local standard input, output, and error streams to a running container", static () => new AttachCommand()),
        new("container logs", "logs", "Fetch the logs of a container", static () => new LogsCommand()),
        new("container top", "top", "Display the running processes of a container", static () => new TopCommand()),
        new("container port", "port", "List port mappings or a specific mapping for the container", static () => new PortCommand()),
        new("container rename", "rename", "Rename a container", static () => new RenameCommand()),
        new("container rm", "rm", "Remove one or more containers", static () => new RemoveContainersCommand(), "remove"),
        new("container commit", "commit", "Create a new image from a container's changes", static () => new CommitCommand()),
        new("container cp", "cp", "Copy files/folders between a container and the local filesystem", static () => new CopyCommand()),
        new("container diff", "diff", "Inspect changes to files or directories on a container's filesystem", static () => new DiffCommand()),
        new("container export", "export", "Export a container's filesystem as a tar archive", static () => new ExportCommand()),
        new("container prune", null, "Remove all stopped containers", static () => new PruneContainersCommand()),
        new("container inspect", null, "Display detailed information on one or more containers", static () => new InspectCommand("container")),
        new("image ls", "images", "List images", static () => new ImagesCommand(), "list"),
        new("image bootstrap", null, "Make a base image without a registry (busybox, debian:SUITE, ubuntu:SUITE)", static () => new BootstrapCommand()),
        new("image import", "import", "Import the contents from a tarball to create a filesystem image", static () => new ImportCommand()),
        new("image load", "load", "Load an image from a tar archive or STDIN", static () => new LoadCommand()),
        new("image save", "save", "Save one or more images to a tar archive (streamed to STDOUT by default)", static () => new SaveCommand()),
        new("image tag", "tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", static () => new TagCommand()),
        new("image history", "history", "Show the history of an image", static () => new HistoryCommand()),
        new("image rm", "rmi", "Remove one or more images", static () => new RemoveImagesCommand(), "remove"),
        new("image flatten", null, "Make an image of one layer with the files of another", static () => new FlattenCommand()),
        new("image diff", null, "Show the files in which two images differ", static () => new CompareImagesCommand()),
        new("image prune", null, "Remove unused images", static () => new PruneImagesCommand()),
        new("image inspect", null, "Display detailed information on one or more images", static () => new InspectCommand("image")),
        new("image pull", "pull", "Download an image from a registry", static () => new PullCommand()),
        new("image push", "push", "Upload an image to a registry", static () => new PushCommand()),
        new("image tags", null, "List the tags of a repository at its registry", static () => new TagsCommand()),
        new("image referrers", null, "List signatures and other artifacts that refer to an image at its registry", static () => new ReferrersCommand()),
        new("artifact push", null, "Upload files to a registry as an artifact", static () => new ArtifactPushCommand()),
        new("artifact pull", null, "Download an artifact's files from a registry", static () => new ArtifactPullCommand()),
        new("manifest create", null, "Make one name for images of several platforms that are at a registry", static () => new ManifestCreateCommand()),
        new("manifest inspect", null, "Display an image's manifest or manifest list without pulling it", static () => new ManifestInspectCommand()),
        new("search", null, "Search a registry for images", static () => new SearchCommand()),
        new("login", null, "Authenticate to a registry", static () => new LoginCommand()),
        new("logout", null, "Log out from a registry", static () => new LogoutCommand()),
        new("volume create", null, "Create a volume", static () => new CreateVolumeCommand()),
        new("volume ls", null, "List volumes", static () => new VolumesCommand(), "list"),
        new("volume inspect", null, "Display detailed information on one or more volumes", static () => new InspectCommand("volume")),
        new("volume prune", null, "Remove unused local volumes", static () => new PruneVolumesCommand()),
        new("volume rm", null, "Remove one or more volumes", static () => new RemoveVolumesCommand(), "remove"),
        new("inspect", null, "Return low-level information on containers, images and volumes", static () => new InspectCommand(null)),
        new("registry serve", null, "Serve images to others over the OCI distribution API", static () => new RegistryServeCommand()),
        new("system df", null, "Show disk usage", static () => new DiskUsageCommand()),
        new("system prune", null, "Remove unused data", static () => new PruneSystemCommand()),
        new("security", null, "Show what protects a container and what an attacker in it would try first", static () => new SecurityCommand()),
        new("system info", "info", "Display system-wide information", static () => new InfoCommand()),
        new("version", null, "Show the version of the command line and the engine", static () => new VersionCommand()),
        new("completion", null, "Print the completion script for bash, zsh or fish", static () => new CompletionCommand()),
        new("help", null, "Help on a command", static () => new HelpCommand()),
    ];

    internal static readonly (string Name, string Summary)[] Groups =
    [
        ("container", "Manage containers"),
        ("image", "Manage images"),
        ("artifact", "Push and pull files that are no images"),
        ("manifest", "Look at images at their registries, and join them"),
        ("volume", "Manage volumes"),
        ("registry", "Run a registry"),
        ("system", "Manage the engine"),
    ];

    /// <summary>Finds an ungrouped command (<c>ps</c>).</summary>
    internal static CommandEntry? Find(string name)
    {
        foreach (var entry in Entries)
        {
            if (string.Equals(entry.Short, name, StringComparison.Ordinal) || (entry.Group.Length == 0 && string.Equals(entry.Path, name, StringComparison.Ordinal)))
            {
                return entry;
            }
        }

        return null;
    }

    /// <summary>Finds a command in a group (<c>container</c>, <c>ls</c>).</summary>
    internal static CommandEntry? Find(string group, string name)
    {
        foreach (var entry in Entries)
        {
            if (entry.Path.Length > group.Length
                && entry.Path[group.Length] == ' '
                && entry.Path.StartsWith(group, StringComparison.Ordinal)
                && (entry.Path.AsSpan(group.Length + 1).SequenceEqual(name) || Array.IndexOf(entry.Aliases, name) >= 0))
            {
                return entry;
            }
        }

        return null;
    }

    internal static bool IsGroup(string name) => Array.Exists(Groups, group => string.Equals(group.Name, name, StringComparison.Ordinal));
}
