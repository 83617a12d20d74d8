using System.Text;
using Wherry.Errors;
using Wherry.Linux.Processes;
using Wherry.Storage.Layers;

namespace Wherry.Storage.Drivers;

/// <summary>
/// Which driver a data root has. The one that made its layers stays (<c>layers/driver</c>): their directories mean
/// nothing to another. Of an empty one the file system decides, unless someone does by name.
/// </summary>
internal static class DriverChoice
{
    private const string RecordName = "driver";

    /// <param name="root">The layers' directory; exists.</param>
    /// <param name="asked">A driver's name; null leaves the choice to us.</param>
    /// <param name="log">Is told what a better driver lacks; null tells nobody.</param>
    /// <exception cref="WherryException">Unsupported: unknown, impossible here, or not the one that made the layers.</exception>
    internal static StorageDriver Choose(string root, string? asked, Action<string>? log)
    {
        var wanted = asked switch
        {
            null or "" or "auto" => null,
            "overlay2" => OverlayDriver.DriverName,
            OverlayDriver.DriverName or FuseOverlayDriver.DriverName or VfsDriver.DriverName or BtrfsDriver.DriverName => asked,
            _ => throw WherryException.Unsupported($"storage driver {asked} is not supported: use overlay, fuse-overlayfs, btrfs or vfs"),
        };
        var known = Known(root);
        if (known is not null && wanted is not null && wanted != known)
        {
            throw WherryException.Unsupported(
                $"the layers in {root} were made by the storage driver {known}, not {wanted}: start with --storage-driver {known}, or give another --data-root");
        }
        var name = wanted ?? known ?? Probe(root, log);
        StorageDriver driver = name switch
        {
            OverlayDriver.DriverName => known is not null || OverlayDriver.Works(root) ? new OverlayDriver(root) : throw Impossible(name, root),
            BtrfsDriver.DriverName => BtrfsDriver.Works(root) ? new BtrfsDriver(root) : throw Impossible(name, root),
            FuseOverlayDriver.DriverName => new FuseOverlayDriver(root),
            VfsDriver.DriverName => new VfsDriver(root),
            _ => throw WherryException.Unsupported($"the layers in {root} were made by a storage driver this engine does not have: {name}"),
        };
        // Overlay is what no record means: before there was a choice there was only overlay.
        var record = Path.Combine(root, RecordName);
        if (name == OverlayDriver.DriverName)
            DurableFile.Delete(record);
        else if (known != name)
            DurableFile.Write(record, Encoding.ASCII.GetBytes(name + "\n"));
        return driver;
    }

    private static string? Known(string root)
    {
        var hasLayers = Directory.EnumerateDirectories(root).Any(directory => Digests.IsHexDigest(Path.GetFileName(directory)) || Path.GetFileName(directory) == "empty")
            || (Directory.Exists(Path.Combine(root, LayerStore.LeaseDirectoryName)) && Directory.EnumerateFileSystemEntries(Path.Combine(root, LayerStore.LeaseDirectoryName)).Any());
        if (!hasLayers)
            return null;
        var record = Path.Combine(root, RecordName);
        return File.Exists(record) ? File.ReadAllText(record).Trim() : OverlayDriver.DriverName;
    }

    // Root, who can have another file system for the data root, gets the program's overlay only when asking for it.
    private static string Probe(string root, Action<string>? log) => FirstThatWorks(
        UserNamespace.IsInside,
        name => name switch
        {
            OverlayDriver.DriverName => OverlayDriver.Works(root),
            BtrfsDriver.DriverName => BtrfsDriver.Works(root),
            _ => FuseOverlayWorks(root, log),
        });

    private static bool FuseOverlayWorks(string root, Action<string>? log)
    {
        if (FuseOverlayDriver.WhyNot(root) is not { } missing)
            return true;
        log?.Invoke($"storage driver {VfsDriver.DriverName}, which makes whole copies: the {FileSystemNames.Of(root)} file system of {root} can't have an overlay, and for {FuseOverlayDriver.DriverName}: {missing}");
        return false;
    }

    /// <summary>The best driver of those that work; vfs always does.</summary>
    /// <param name="isOrdinaryUser">The engine is without root.</param>
    /// <param name="works">Asked of one after the other, until one does.</param>
    internal static string FirstThatWorks(bool isOrdinaryUser, Func<string, bool> works) =>
        works(OverlayDriver.DriverName) ? OverlayDriver.DriverName
        : works(BtrfsDriver.DriverName) ? BtrfsDriver.DriverName
        : isOrdinaryUser && works(FuseOverlayDriver.DriverName) ? FuseOverlayDriver.DriverName
        : VfsDriver.DriverName;

    private static WherryException Impossible(string name, string root) => WherryException.Unsupported(
        $"the storage driver {name} can't be used on the {FileSystemNames.Of(root)} file system of {root}: use vfs, or leave the choice to the engine");
}
