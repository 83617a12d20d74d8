using System.Text;
using System.Text.Json;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Errors;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;
using Wherry.Storage.Trees;

namespace Wherry.Cli.Files;

/// <summary><c>wherry cp</c>.</summary>
internal sealed class CopyCommand : CliCommand
{
    private const string StatHeader = "X-Docker-Container-Path-Stat";
    private const long GoDirectory = 1L << 31;
    private const long GoSymlink = 1L << 27;

    private readonly FlagOption _archive;
    private readonly FlagOption _followLink;
    private readonly FlagOption _quiet;

    internal CopyCommand()
        : base("[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n       wherry cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH", 2, 2)
    {
        _archive = Flag("archive", 'a', "Archive mode (copy all uid/gid information)");
        _followLink = Flag("follow-link", 'L', "Always follow symbol link in SRC_PATH");
        _quiet = Flag("quiet", 'q', "Suppress progress output during copy");
    }

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Containers;

    internal override int Run(Invocation invocation)
    {
        var source = CopyEnd.Parse(invocation.Arguments[0]);
        var target = CopyEnd.Parse(invocation.Arguments[1]);
        try
        {
            var (bytes, where) = (source.Container, target.Container) switch
            {
                (not null, null) => CopyOut(invocation, source, target),
                (null, not null) => CopyIn(invocation, source, target),
                (null, null) => throw new CliException("must specify at least one container source"),
                _ => throw new CliException("copying between containers is not supported"),
            };
            if (!invocation.Is(_quiet) && !target.IsStream)
            {
                invocation.Context.Streams.ErrorText.WriteLine($"Successfully copied {Units.Size(bytes)} to {where}");
            }

            return 0;
        }
        catch (WherryException failure)
        {
            throw new CliException(failure.Message);
        }
    }

    private (long Bytes, string Where) CopyOut(Invocation invocation, CopyEnd source, CopyEnd target)
    {
        var name = source.Base;
        if (invocation.Is(_followLink) && Stat(invocation, source) is { LinkTarget.Length: > 0 } link)
        {
            source = source with { Path = link.LinkTarget };
        }

        using var response = invocation.Engine.Send("GET", Archive(source));
        if (target.IsStream)
        {
            response.CopyTo(invocation.Context.Streams.Output, 128 * 1024);
            return (0, "");
        }

        var status = Read(response) ?? throw new CliException("the engine's answer does not say what is copied");
        var there = new CopyPlace(Path.Exists(target.Path), Directory.Exists(target.Path));
        var chosen = CopyTarget.Choose(target, there, status.IsDirectory);
        if (!Directory.Exists(chosen.Directory))
        {
            throw new CliException($"invalid output path: directory \"{Path.GetFullPath(chosen.Directory)}\" does not exist");
        }

        var from = source.Base;
        var rename = chosen.Name ?? (name == from ? null : name);
        using var counted = new CountingStream(response);
        using (var reader = new TarReader(counted))
        {
            var rules = ExtractionRules.Files with
            {
                KeepKind = true,
                SetsOwner = invocation.Is(_archive),
                Rewrite = rename is null ? null : entry => Renamed(entry, from, rename),
            };
            using var tree = new TreeExtractor(chosen.Directory, rules);
            tree.Extract(reader, CancellationToken.None);
        }

        return (counted.Count, target.Path);
    }

    private (long Bytes, string Where) CopyIn(Invocation invocation, CopyEnd source, CopyEnd target)
    {
        var there = Stat(invocation, target);
        if (there is { LinkTarget.Length: > 0 } link)
        {
            target = target with { Path = link.LinkTarget };
            there = Stat(invocation, target);
        }

        var place = new CopyPlace(there is not null, there?.IsDirectory ?? false);
        long bytes = 0;
        if (source.IsStream)
        {
            if (!place.IsDirectory)
            {
                throw new CliException(place.Exists ? $"destination \"{target.Container}:{target.Path}\" must be a directory" : $"no such directory: {target.Path}");
            }

            Send(invocation, target, target.Path, output =>
            {
                using var counting = new CountingStream(output);
                invocation.Context.Streams.Input.CopyTo(counting, 128 * 1024);
                bytes = counting.Count;
            });
            return (bytes, $"{target.Container}:{target.Path}");
        }

        var local = Local(source, invocation.Is(_followLink));
        var chosen = CopyTarget.Choose(target, place, local.IsDirectory);
        Send(invocation, target, chosen.Directory, output =>
        {
            using var counting = new CountingStream(output);
            using var directory = FileTree.OpenDirectory(local.Directory);
            TreeArchive.WriteNamed(directory, Encoding.UTF8.GetBytes(local.Name), Encoding.UTF8.GetBytes(chosen.Name ?? source.Base), counting, CancellationToken.None);
            bytes = counting.Count;
        });
        return (bytes, $"{target.Container}:{target.Path}");
    }

    private void Send(Invocation invocation, CopyEnd target, string directory, Action<Stream> produce)
    {
        var query = new Query($"/containers/{Query.Segment(target.Container!)}/archive")
            .Add("path", directory)
            .Add("noOverwriteDirNonDir", "true")
            .AddFlag("copyUIDGID", invocation.Is(_archive));
        using var response = invocation.Engine.Upload("PUT", query.ToString(), produce);
    }

    /// <summary>Where a local source lies and its name there; a directory that stands for what is in it has no name.</summary>
    private static (string Directory, string Name, bool IsDirectory) Local(CopyEnd source, bool follow)
    {
        var path = Path.GetFullPath(source.Path).TrimEnd('/');
        path = path.Length == 0 ? "/" : path;
        if (!Path.Exists(path) && new FileInfo(path).LinkTarget is null)
        {
            throw new CliException($"lstat {path}: no such file or directory");
        }

        if (follow && new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) is { } final)
        {
            path = final.FullName;
        }

        var isDirectory = Directory.Exists(path) && (source.AssertsDirectory || new FileInfo(path).LinkTarget is null);
        if (source.AssertsDirectory && !isDirectory)
        {
            throw new CliException($"lstat {source.Path}: not a directory");
        }

        return isDirectory ? (path, "", true) : (Path.GetDirectoryName(path) ?? "/", Path.GetFileName(path), false);
    }

    private static PathStatus? Stat(Invocation invocation, CopyEnd end)
    {
        using var response = invocation.Engine.Head(Archive(end));
        return response is null ? RequireContainer(invocation, end) : Read(response);
    }

    /// <summary>A head has no message: where nothing was found, whether there is such a container at all is asked apart.</summary>
    private static PathStatus? RequireContainer(Invocation invocation, CopyEnd end)
    {
        using var found = invocation.Engine.Get($"/containers/{Query.Segment(end.Container!)}/json");
        return null;
    }

    private static Query Archive(CopyEnd end) => new Query($"/containers/{Query.Segment(end.Container!)}/archive").Add("path", end.Path);

    private static PathStatus? Read(HttpResponse response)
    {
        if (!response.Headers.TryGetValue(StatHeader, out var text))
        {
            return null;
        }

        using var document = JsonDocument.Parse(Convert.FromBase64String(text));
        var mode = document.RootElement.Number("mode");
        return new PathStatus((mode & GoDirectory) != 0, (mode & GoSymlink) != 0 ? document.RootElement.Text("linkTarget") : "");
    }

    /// <summary>The member under another base name; hard links name members too.</summary>
    private static TarEntry Renamed(TarEntry entry, string from, string to) => entry with
    {
        Name = Rebase(entry.Name, from, to),
        LinkName = entry.Kind == TarKind.HardLink ? Rebase(entry.LinkName, from, to) : entry.LinkName,
    };

    private static byte[] Rebase(byte[] name, string from, string to)
    {
        var prefix = from == "/" ? [] : Encoding.UTF8.GetBytes(from);
        return name.AsSpan().StartsWith(prefix) ? [.. Encoding.UTF8.GetBytes(to), .. name.AsSpan(prefix.Length)] : name;
    }

    private sealed record PathStatus(bool IsDirectory, string LinkTarget);
}
