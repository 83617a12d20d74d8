using System.Security.Cryptography;
using System.Text;
using Wherry.Storage.Pipelines;
using Wherry.Storage.Trees;

namespace Wherry.Storage.Layers;

/// <summary>
/// Snapshots: a directory for a container's changes, and a lease that keeps the layers below it. The lease is a
/// symbolic link that never resolves: made in one atomic step, its target text is <c>chain|directory</c>.
/// </summary>
public sealed partial class LayerStore
{
    internal const string LeaseDirectoryName = "snapshots";

    // By directory: the layer it holds, or null for an empty root.
    private readonly Dictionary<string, string?> _leases = new(StringComparer.Ordinal);

    private string LeaseDirectory => Path.Combine(_root, LeaseDirectoryName);

    /// <summary>Makes a writable root on top of a layer: three directories and a lease, whatever the image's size.</summary>
    /// <param name="directory">The container's directory, made if need be.</param>
    /// <param name="topChainId">The image's topmost layer; null for an empty root.</param>
    /// <param name="sizeLimit">How many bytes can be written over the image; null for what the disk has.</param>
    /// <exception cref="Errors.WherryException">There is no such layer; or a limit is asked for where there can be none (<see cref="WhyNoSizes"/>).</exception>
    public Snapshot CreateSnapshot(string directory, string? topChainId, long? sizeLimit = null)
    {
        var snapshot = new Snapshot(Path.GetFullPath(directory), topChainId);
        lock (_lock)
        {
            if (!_leases.TryAdd(snapshot.Directory, topChainId))
                throw new InvalidOperationException($"{snapshot.Directory} has a snapshot already");
            if (topChainId is not null && TryRetain(topChainId) is null)
            {
                _leases.Remove(snapshot.Directory);
                throw Errors.WherryException.NotFound($"layer {topChainId} does not exist");
            }
        }
        try
        {
            Directory.CreateDirectory(snapshot.Directory);
            File.CreateSymbolicLink(LeaseOf(snapshot.Directory), $"{topChainId ?? "-"}|{snapshot.Directory}");
            if (sizeLimit is not null && WhyNoSizes is { } reason)
                throw Errors.WherryException.Unsupported(reason);
            _driver.MakeSnapshot(snapshot, EnsureInitLayer(topChainId), LowerOf(Chain(topChainId)), sizeLimit);
        }
        catch
        {
            RemoveSnapshot(snapshot.Directory);
            throw;
        }
        return snapshot;
    }

    /// <summary>Why snapshots can't be given a size here, and what would help; null where they can.</summary>
    public string? WhyNoSizes => _driver.WhyNoSizes;

    /// <summary>What the container's stage mounts, in its own mount namespace.</summary>
    public SnapshotMount Mount(Snapshot snapshot) => _driver.Mount(snapshot, BelowOf(snapshot));

    /// <summary>Removes a snapshot's directories and gives its layers up; other files of the directory stay. Nothing there is fine.</summary>
    public void RemoveSnapshot(string directory)
    {
        var snapshot = new Snapshot(Path.GetFullPath(directory), null);
        _driver.RemoveSnapshot(snapshot);
        string? topChainId;
        lock (_lock)
        {
            if (!_leases.Remove(snapshot.Directory, out topChainId))
                return;
        }
        File.Delete(LeaseOf(snapshot.Directory));
        if (topChainId is not null)
            Release(topChainId);
    }

    /// <summary>Writes a snapshot's changes as a layer's archive. The same changes give the same bytes.</summary>
    /// <param name="snapshot">May belong to a running container; one that changes files meanwhile gets what was read.</param>
    /// <param name="tar">Written to, flushed, not disposed.</param>
    /// <param name="cancel">Ends the work early.</param>
    public Task WriteDiffAsync(Snapshot snapshot, Stream tar, CancellationToken cancel) =>
        ThreadBridge.WriteAsync((output, stop) => WriteDiff(snapshot, output, stop), tar, cancel);

    /// <summary>As <see cref="WriteDiffAsync"/>, on the calling thread.</summary>
    public void WriteDiff(Snapshot snapshot, Stream tar, CancellationToken cancel) =>
        _driver.WriteDiff(snapshot, BelowOf(snapshot), new TreeWriter(tar, cancel));

    /// <summary>What a snapshot has changed, parents before what is in them.</summary>
    public IReadOnlyList<TreeChange> Changes(Snapshot snapshot) => _driver.Changes(snapshot, BelowOf(snapshot));

    /// <summary>Bytes of the regular files that a snapshot has changed or added.</summary>
    public long DiffSize(Snapshot snapshot) => _driver.DiffSize(snapshot, BelowOf(snapshot));

    /// <summary>What a snapshot lies on: the image's mount points, then its layers, topmost first.</summary>
    private IReadOnlyList<string> BelowOf(Snapshot snapshot) =>
        [EnsureInitLayer(snapshot.TopChainId), .. LowerOf(Chain(snapshot.TopChainId))];

    private string LeaseOf(string directory) =>
        Path.Combine(LeaseDirectory, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(directory)).AsSpan(0, 16)));

    private void ReadLeases()
    {
        foreach (var lease in Directory.EnumerateFileSystemEntries(LeaseDirectory))
        {
            var target = new FileInfo(lease).LinkTarget;
            var separator = target?.IndexOf('|') ?? -1;
            var directory = separator < 0 ? "" : target![(separator + 1)..];
            var chainId = separator <= 0 || target![..separator] == "-" ? null : target[..separator];
            // The container's directory is gone, or its layer is: nothing is left to hold it for.
            if (!Directory.Exists(directory) || (chainId is not null && TryRetain(chainId) is null))
                File.Delete(lease);
            else
                _leases.Add(directory, chainId);
        }
    }
}
