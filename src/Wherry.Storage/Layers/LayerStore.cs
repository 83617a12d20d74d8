using System.Text.Json;
using Wherry.Errors;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Drivers;
using Wherry.Storage.Trees;

namespace Wherry.Storage.Layers;

/// <summary>
/// The unpacked layers below <c>layers/</c>, one directory per chain ID, and the snapshots that stand on them.
/// A layer lives as long as an image, a snapshot or a layer above holds it.
/// </summary>
/// <remarks>Thread-safe. No lock is held while files are written or removed.</remarks>
public sealed partial class LayerStore
{
    private const string RecordName = "layer.json";
    private readonly string _root;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Layer> _layers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _holds = new(StringComparer.Ordinal);

    private readonly StorageDriver _driver;

    private LayerStore(string root, StorageDriver driver)
    {
        _root = root;
        _driver = driver;
    }

    /// <summary>The driver's name, as <c>info</c> shows it.</summary>
    public string DriverName => _driver.Name;

    /// <summary>Name and value of what <c>info</c> shows beside it.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> DriverStatus => _driver.Status;

    /// <summary>Opens the store, makes it if need be, and removes what a crash left unfinished.</summary>
    /// <param name="dataRoot">The engine's data root.</param>
    /// <param name="driverName">overlay, fuse-overlayfs, btrfs or vfs; null for the one that made the layers, or else the best the file system can do.</param>
    /// <param name="log">Is told what a better driver lacks; null tells nobody.</param>
    public static LayerStore Open(string dataRoot, string? driverName, Action<string>? log = null)
    {
        var directory = Path.Combine(Path.GetFullPath(dataRoot), "layers");
        Directory.CreateDirectory(directory);
        // Layers hold setuid programs: no user of the host may reach them.
        using (var root = FileTree.OpenDirectory(directory))
            _ = FileTree.SetMode(root, 0x1C0);
        var store = new LayerStore(directory, DriverChoice.Choose(directory, driverName, log));
        Directory.CreateDirectory(store.LeaseDirectory);
        DurableFile.RemoveLeftovers(store._root);
        DurableFile.RemoveLeftovers(store.LeaseDirectory);
        store.ReadLayers();
        store.ReadLeases();
        return store;
    }

    public Layer? Find(string chainId)
    {
        lock (_lock)
            return _layers.GetValueOrDefault(chainId);
    }

    /// <summary>Bytes of the regular files of all layers.</summary>
    public long TotalSize()
    {
        lock (_lock)
            return _layers.Values.Sum(layer => layer.Size);
    }

    /// <summary>The layer and those below it, topmost first.</summary>
    public IReadOnlyList<Layer> Chain(string? topChainId)
    {
        lock (_lock)
        {
            var chain = new List<Layer>();
            for (var id = topChainId; id is not null; id = chain[^1].Parent)
                chain.Add(_layers.GetValueOrDefault(id) ?? throw WherryException.NotFound($"layer {id} does not exist"));
            return chain;
        }
    }

    /// <summary>An empty place to unpack a layer into.</summary>
    public StagedLayer Stage() => new(TemporaryDirectory());

    /// <summary>
    /// Makes a staged layer the layer on top of <paramref name="parent"/>, or finds that it is there already.
    /// The caller holds the result and must <see cref="Release"/> it.
    /// </summary>
    public Layer Commit(StagedLayer staged, string? parent)
    {
        var layer = new Layer(Digests.Chain(parent, staged.DiffId), staged.DiffId, parent, staged.Size);
        if (TryRetain(layer.ChainId) is { } existing)
            return existing;
        var below = Chain(parent);
        if (below.Count >= _driver.MostLayers)
            throw WherryException.Unsupported($"the image has more than {_driver.MostLayers} layers, which is as many as the storage driver {_driver.Name} can put together here: flatten it");
        TakeAttributesFromBelow(staged, below);
        _driver.Complete(staged.Directory, parent is null ? null : DirectoryOf(parent));
        var record = new LayerRecord { DiffId = layer.DiffId, Parent = parent, Size = layer.Size };
        DurableFile.Write(Path.Combine(staged.Directory, RecordName), JsonSerializer.SerializeToUtf8Bytes(record, LayerJson.Default.LayerRecord));
        lock (_lock)
        {
            if (TryRetain(layer.ChainId) is { } raced)
                return raced;
            Directory.Move(staged.Directory, DirectoryOf(layer.ChainId));
            Add(layer);
            _holds[layer.ChainId] = 1;
        }
        return layer;
    }

    /// <summary>Holds a layer, if there is one of that chain ID.</summary>
    public Layer? TryRetain(string chainId)
    {
        lock (_lock)
        {
            if (!_layers.TryGetValue(chainId, out var layer))
                return null;
            _holds[chainId] = _holds.GetValueOrDefault(chainId) + 1;
            return layer;
        }
    }

    /// <summary>Gives up a hold. A layer that nothing holds is removed, then the one below, and so on.</summary>
    /// <returns>The chain IDs removed, topmost first.</returns>
    public IReadOnlyList<string> Release(string chainId)
    {
        var removed = new List<string>();
        var trash = new List<string>();
        lock (_lock)
        {
            if (!_holds.TryGetValue(chainId, out var holds) || holds == 0)
                throw new InvalidOperationException($"layer {chainId} is not held");
            _holds[chainId] = holds - 1;
            RemoveUnheld(chainId, removed, trash);
        }
        foreach (var directory in trash)
            _driver.RemoveLayer(directory);
        return removed;
    }

    /// <summary>Removes every layer that nothing holds: what a crash left between an image's layers and its record.</summary>
    public IReadOnlyList<string> RemoveUnreferenced()
    {
        var removed = new List<string>();
        var trash = new List<string>();
        lock (_lock)
        {
            foreach (var id in _layers.Keys.ToList())
                RemoveUnheld(id, removed, trash);
        }
        foreach (var directory in trash)
            _driver.RemoveLayer(directory);
        return removed;
    }

    private void RemoveUnheld(string chainId, List<string> removed, List<string> trash)
    {
        for (var id = chainId; id is not null && _layers.TryGetValue(id, out var layer) && _holds.GetValueOrDefault(id) == 0; id = layer.Parent)
        {
            // Renamed first: a crash while its files go must not leave half a layer under its name.
            var doomed = TemporaryDirectory();
            Directory.Move(DirectoryOf(id), doomed);
            trash.Add(doomed);
            removed.Add(id);
            _layers.Remove(id);
            _holds.Remove(id);
            if (layer.Parent is not null)
                _holds[layer.Parent]--;
        }
    }

    private void ReadLayers()
    {
        var found = new Dictionary<string, Layer>(StringComparer.Ordinal);
        foreach (var directory in Directory.EnumerateDirectories(_root))
        {
            var name = Path.GetFileName(directory);
            if (!Digests.IsHexDigest(name))
                continue;
            var record = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(directory, RecordName)), LayerJson.Default.LayerRecord)
                ?? throw WherryException.System($"{directory}/{RecordName} is empty");
            found[Digests.FromHex(name)] = new Layer(Digests.FromHex(name), record.DiffId, record.Parent, record.Size);
        }
        foreach (var layer in found.Values)
        {
            _layers.Add(layer.ChainId, layer);
            if (layer.Parent is not null)
                _holds[layer.Parent] = _holds.GetValueOrDefault(layer.Parent) + 1;
        }
    }

    private void Add(Layer layer)
    {
        _layers.Add(layer.ChainId, layer);
        if (layer.Parent is not null)
            _holds[layer.Parent] = _holds.GetValueOrDefault(layer.Parent) + 1;
    }

    /// <summary>Where the archive left directories undescribed, what lower layers say of them holds.</summary>
    private void TakeAttributesFromBelow(StagedLayer staged, IReadOnlyList<Layer> chain)
    {
        if (chain.Count == 0 || staged.ImpliedDirectories.Count == 0)
            return;
        using var below = new MergedView(LowerOf(chain));
        using var root = FileTree.OpenDirectory(staged.Diff);
        foreach (var path in staged.ImpliedDirectories)
        {
            if (below.Find(path) is not { Status.Kind: FileKind.Directory } found)
                continue;
            var errno = FileTree.Open(root, path, OpenFlags.ReadOnly | OpenFlags.Directory, 0, PathResolution.InRoot | PathResolution.NoSymlinks, out var directory);
            using (directory)
            {
                if (errno == 0)
                    TreeAttributes.Apply(directory, found);
            }
        }
    }

    private string DirectoryOf(string chainId) => Path.Combine(_root, Digests.Hex(chainId));

    /// <summary>The directories that together show a chain's files, topmost first.</summary>
    private IReadOnlyList<string> LowerOf(IReadOnlyList<Layer> chain) => _driver.Lower([.. chain.Select(layer => DirectoryOf(layer.ChainId))]);

    private string TemporaryDirectory() => Path.Combine(_root, $"{DurableFile.TemporaryPrefix}{Guid.NewGuid():N}");
}
