using Wherry.Errors;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;

namespace Wherry.Linux.Mounts;

/// <summary>
/// Overlay file systems that show the owners of all their layers, the upper one's too, through the mappings of a user
/// namespace: on disk they stay as if there were none, whoever uses them. Attached nowhere: they go when the descriptor
/// is closed.
/// </summary>
public static class IdMappedOverlay
{
    /// <summary>The first kernel whose overlay takes id-mapped layers.</summary>
    public static readonly Version FirstKernel = new(5, 19);

    private const string Here = "overlay";

    // Older ones refuse layers that are attached nowhere.
    private static readonly Version TakesDetachedLayers = new(6, 15);

    /// <summary>Makes one.</summary>
    /// <param name="lower">Read-only directories, topmost first.</param>
    /// <param name="upper">Takes changes; null for a mount to read only.</param>
    /// <param name="work">Overlay's own directory, side by side with <paramref name="upper"/>.</param>
    /// <param name="options"><c>name=value</c>.</param>
    /// <param name="place">A directory to put the layers on for a moment, in mounts of our own, where the kernel needs that.</param>
    /// <param name="userNamespace">Whose mappings they are.</param>
    /// <param name="owner">The ids outside of that namespace's root, as whom the overlay acts on its layers.</param>
    /// <exception cref="WherryException">Unsupported: the kernel or a layer's file system can't do it.</exception>
    public static FileDescriptor Create(
        IReadOnlyList<string> lower, string? upper, string? work, IReadOnlyList<string> options, string place, FileDescriptor userNamespace, (uint Uid, uint Gid) owner)
    {
        if (Environment.OSVersion.Version < FirstKernel)
        {
            throw WherryException.Unsupported($"layers with mapped owners need Linux {FirstKernel}");
        }

        var trees = new List<FileDescriptor>();
        try
        {
            foreach (var directory in lower)
            {
                trees.Add(IdMappedMount.Clone(directory, userNamespace));
            }

            var names = upper is null || work is null ? default : Split(upper, work);
            if (names.Parent is not null)
            {
                // Both through one mount, which an overlay asks of them.
                trees.Add(IdMappedMount.Clone(names.Parent, userNamespace));
            }

            FileDescriptor Make(IReadOnlyList<string> at, Func<IReadOnlyList<string>, string?, string?, FileDescriptor> overlay)
            {
                using var identity = new FileSystemIdentity(owner.Uid, owner.Gid);
                return names.Parent is null ? overlay(at, null, null) : overlay([.. at.SkipLast(1)], $"{at[^1]}/{names.Upper}", $"{at[^1]}/{names.Work}");
            }

            if (Environment.OSVersion.Version >= TakesDetachedLayers)
            {
                return Make([.. trees.Select(FileSyscalls.ProcPath)], (below, above, beside) => OverlayMount.ByDescriptor(below, above, beside, options));
            }

            var byDescriptor = OverlayMount.TakesLayersOneByOne();
            var (mounts, made) = MountNamespace.Create(() => Make(
                Attach(trees, place),
                (below, above, beside) => byDescriptor ? OverlayMount.ByDescriptor(below, above, beside, options) : OverlayMount.ByPage(below, above, beside, options, Here)));
            mounts.Dispose();
            return made;
        }
        finally
        {
            trees.ForEach(tree => tree.Dispose());
        }
    }

    private static (string? Parent, string Upper, string Work) Split(string upper, string work) =>
        Path.GetDirectoryName(upper) is { } parent && parent == Path.GetDirectoryName(work)
            ? (parent, Path.GetFileName(upper), Path.GetFileName(work))
            : throw WherryException.Invalid("layers with mapped owners need the upper and work directories side by side");

    // The working directory is this thread's own, and short relative names fit many into the page that mount(2) takes.
    private static List<string> Attach(List<FileDescriptor> trees, string place)
    {
        MountSyscalls.Mount("layers", place, "tmpfs", MountFlags.None, "mode=0755");
        using (var directory = FileSyscalls.Open(place, OpenFlags.PathOnly | OpenFlags.Directory))
        {
            FileSyscalls.ChangeDirectory(directory);
        }

        Directory.CreateDirectory(Path.Combine(place, Here));
        var names = new List<string>(trees.Count);
        foreach (var tree in trees)
        {
            var name = names.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
            var at = Path.Combine(place, name);
            Directory.CreateDirectory(at);
            using var target = FileSyscalls.Open(at, OpenFlags.PathOnly | OpenFlags.Directory);
            MountSyscalls.Attach(tree, target, name);
            names.Add(name);
        }

        return names;
    }
}
