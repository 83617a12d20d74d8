using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Completion;

/// <summary>An option as a shell needs to know it.</summary>
internal sealed record OptionShape(string Name, char? Letter, bool TakesValue, string Description);

/// <summary>A command under one of its names (<c>ps</c>, <c>container ls</c>).</summary>
internal sealed record CommandShape(string Group, string Name, string Summary, CompletionSource Arguments, IReadOnlyList<OptionShape> Options)
{
    internal string Path => Group.Length == 0 ? Name : $"{Group} {Name}";
}

/// <summary>Everything the completion scripts are generated from: the catalog and every command's own options.</summary>
internal static class CommandTree
{
    internal static IReadOnlyList<CommandShape> Build()
    {
        var shapes = new List<CommandShape>();
        foreach (var entry in CommandCatalog.Entries)
        {
            var command = entry.Create();
            var options = command.Options
                .Where(static o => !o.Hidden)
                .OrderBy(static o => o.Name, StringComparer.Ordinal)
                .Select(static o => new OptionShape(o.Name, o.Letter, o is ValueOption, o.Description))
                .Append(new OptionShape("--help", null, false, "Print usage"))
                .ToArray();
            shapes.Add(new CommandShape(entry.Group, entry.Name, entry.Summary, command.Completes, options));
            if (entry.Short is { } name)
            {
                shapes.Add(new CommandShape("", name, entry.Summary, command.Completes, options));
            }
        }

        return shapes;
    }

    /// <summary>The words at the first position.</summary>
    internal static IEnumerable<(string Name, string Summary)> TopLevel(IReadOnlyList<CommandShape> tree)
        => tree.Where(static c => c.Group.Length == 0).Select(static c => (c.Name, c.Summary)).Concat(CommandCatalog.Groups).OrderBy(static c => c.Item1, StringComparer.Ordinal);

    /// <summary>The command that lists what an argument may be; null where the choices are fixed.</summary>
    internal static string? Listing(CompletionSource source) => source switch
    {
        CompletionSource.Containers => "ps -a --format '{{.Names}}'",
        CompletionSource.RunningContainers => "ps --format '{{.Names}}'",
        CompletionSource.Images => "images --format '{{.Repository}}:{{.Tag}}' --filter dangling=false",
        CompletionSource.Volumes => "volume ls -q",
        _ => null,
    };

    /// <summary>The fixed choices.</summary>
    internal static string Words(CompletionSource source, IReadOnlyList<CommandShape> tree) => source switch
    {
        CompletionSource.BootstrapNames => "busybox debian:bookworm debian:trixie ubuntu:jammy ubuntu:noble",
        CompletionSource.Shells => "bash zsh fish",
        CompletionSource.Commands => string.Join(' ', TopLevel(tree).Select(static c => c.Name)),
        _ => "",
    };
}
