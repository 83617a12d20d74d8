namespace Wherry.Storage.Layers;

/// <summary>The unpacked layers below <c>layers/</c> and the snapshots that stand on them.</summary>
public sealed class LayerStore
{
    public static LayerStore Open(string dataRoot, string driverName) => throw new NotSupportedException();

    /// <summary><c>overlay</c>.</summary>
    public string DriverName => throw new NotSupportedException();

    public Layer? Find(string chainId) => throw new NotSupportedException();

    public Snapshot CreateSnapshot(string directory, string? topChainId) => throw new NotSupportedException();

    public SnapshotMount Mount(Snapshot snapshot) => throw new NotSupportedException();

    public void RemoveSnapshot(string directory) => throw new NotSupportedException();

    public Task WriteDiffAsync(Snapshot snapshot, Stream tar, CancellationToken cancel) => throw new NotSupportedException();

    public long DiffSize(Snapshot snapshot) => throw new NotSupportedException();
}
