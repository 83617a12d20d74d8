using System.Collections.Concurrent;
using System.Text.Json;
using Wherry.Api.Contracts.Volumes;
using Wherry.Engine.Filters;
using Wherry.Engine.Validation;
using Wherry.Errors;
using Wherry.Linux.FileTrees;
using Wherry.Linux.Inodes;
using Wherry.Storage.Trees;

namespace Wherry.Engine.Volumes;

/// <summary>
/// The engine's volumes: <c>volumes/NAME/{_data, volume.json}</c>. A volume appears under its name only when it is
/// complete and leaves it before it is emptied, so a crash leaves nothing that looks like a volume and isn't one.
/// Thread-safe; work on one name never waits for the disk on behalf of another but by chance of the stripe.
/// </summary>
public sealed class VolumeStore
{
    /// <summary>The only driver: directories under the engine's data root.</summary>
    public const string LocalDriver = "local";

    private const string DataName = "_data";
    private const string RecordName = "volume.json";

    /// <summary>No volume's name begins with a dot, so these are never mistaken for one.</summary>
    private const string CreatingPrefix = ".creating-";
    private const string RemovingPrefix = ".removing-";

    private const UnixFileMode PrivateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode DataMode = PrivateMode
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Users of the container must pass through to the data, but need not list the volumes.</summary>
    private const UnixFileMode PassMode = PrivateMode | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly string _root;
    private readonly Action<string> _log;
    private readonly ConcurrentDictionary<string, VolumeRecord> _volumes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _held = new(StringComparer.Ordinal);
    private readonly Lock[] _stripes = [.. Enumerable.Range(0, 16).Select(_ => new Lock())];

    private VolumeStore(string root, Action<string> log)
    {
        _root = root;
        _log = log;
    }

    /// <summary>Reads what is there and deletes what a crash left half made or half removed.</summary>
    /// <param name="dataRoot">The engine's data root.</param>
    /// <param name="log">Told of volumes that can't be read and of leftovers that can't be deleted.</param>
    public static VolumeStore Open(string dataRoot, Action<string>? log = null)
    {
        var root = Path.Combine(dataRoot, "volumes");
        Directory.CreateDirectory(root, PassMode);
        var store = new VolumeStore(root, log ?? (_ => { }));
        foreach (var directory in Directory.EnumerateDirectories(root))
        {
            if (Path.GetFileName(directory).StartsWith('.'))
            {
                store.Delete(directory);
            }
            else
            {
                store.Load(directory);
            }
        }

        return store;
    }

    /// <summary>Where the volume's data is, whether or not it exists.</summary>
    public string DirectoryOf(string name) => Path.Combine(_root, name, DataName);

    public Volume? Find(string name) => _volumes.TryGetValue(name, out var record) ? Show(record) : null;

    /// <exception cref="WherryException">NotFound.</exception>
    public Volume Inspect(string name) => Find(name) ?? throw WherryException.NotFound($"get {name}: no such volume");

    /// <param name="filters"><c>name</c>, <c>label</c>, <c>driver</c>, <c>dangling</c>.</param>
    /// <param name="isUsed">Whether a container mounts the volume of that name.</param>
    public IReadOnlyList<Volume> List(FilterArguments filters, Func<string, bool> isUsed)
    {
        var filter = new VolumeFilter(filters, isUsed);
        return [.. from record in _volumes.Values where filter.Matches(record) orderby record.Name select Show(record)];
    }

    /// <summary>All volumes' records.</summary>
    internal IReadOnlyList<VolumeRecord> Records() => [.. _volumes.Values.OrderBy(record => record.Name, StringComparer.Ordinal)];

    /// <summary>Bytes of a volume's regular files; 0 when it is gone. Programs may be changing them meanwhile.</summary>
    internal long SizeOf(string name)
    {
        try
        {
            return TreeSize.Of(DirectoryOf(name));
        }
        catch (WherryException) when (!Directory.Exists(DirectoryOf(name)))
        {
            return 0;
        }
    }

    /// <summary>Makes a volume as the API asks for it; one that exists is returned as it is.</summary>
    public Volume Create(VolumeCreateRequest request)
    {
        RequireLocal(request.Driver, request.DriverOpts);
        return Create(request.Name, request.Labels);
    }

    /// <summary>Makes a volume; one that exists already is returned as it is.</summary>
    /// <param name="name">Null or empty for an anonymous volume.</param>
    /// <param name="labels">Kept with it.</param>
    public Volume Create(string? name, IReadOnlyDictionary<string, string>? labels)
    {
        var isAnonymous = string.IsNullOrEmpty(name);
        var actual = isAnonymous ? ContainerIdentifiers.Create() : name!;
        VolumeNames.Validate(actual);
        lock (StripeOf(actual))
        {
            if (_volumes.TryGetValue(actual, out var existing))
            {
                return Show(existing);
            }

            var record = new VolumeRecord
            {
                Name = actual,
                CreatedAt = DateTimeOffset.UtcNow,
                Labels = labels ?? new Dictionary<string, string>(),
                IsAnonymous = isAnonymous,
            };
            Make(record);
            _volumes[actual] = record;
            return Show(record);
        }
    }

    /// <summary>
    /// Keeps a volume from being removed until the result is disposed: between choosing it for a new container
    /// and that container's being known. The volume need not exist yet.
    /// </summary>
    public IDisposable Hold(string name)
    {
        lock (_held)
        {
            _held[name] = _held.GetValueOrDefault(name) + 1;
        }

        return new Held(this, name);
    }

    /// <param name="name">The volume.</param>
    /// <param name="force">A volume that doesn't exist is no error.</param>
    /// <param name="users">Ids of containers that mount it.</param>
    /// <exception cref="WherryException">NotFound; Conflict: it is in use.</exception>
    public void Remove(string name, bool force, IReadOnlyList<string> users)
    {
        lock (StripeOf(name))
        {
            if (!_volumes.ContainsKey(name))
            {
                if (force)
                {
                    return;
                }

                throw WherryException.NotFound($"get {name}: no such volume");
            }

            if (users.Count > 0)
            {
                throw WherryException.Conflict($"remove {name}: volume is in use - [{string.Join(", ", users)}]");
            }

            lock (_held)
            {
                if (_held.ContainsKey(name))
                {
                    throw WherryException.Conflict($"remove {name}: volume is in use - a container is being created with it");
                }

                _volumes.TryRemove(name, out _);
            }

            var leaving = Path.Combine(_root, RemovingPrefix + Guid.NewGuid().ToString("N"));
            try
            {
                Directory.Move(Path.Combine(_root, name), leaving);
            }
            catch (IOException failure)
            {
                Load(Path.Combine(_root, name));
                throw WherryException.System($"remove {name}: {failure.Message}", failure);
            }

            Delete(leaving);
        }
    }

    /// <exception cref="WherryException">NotFound: another driver; Unsupported: an option of the local driver.</exception>
    internal static void RequireLocal(string? driver, IReadOnlyDictionary<string, string>? options)
    {
        if (driver is not (null or "" or LocalDriver))
        {
            throw WherryException.NotFound($"error looking up volume plugin {driver}: plugin \"{driver}\" not found");
        }

        if (options?.Keys.FirstOrDefault() is { } option)
        {
            throw WherryException.Unsupported($"volume driver option \"{option}\" is not supported; mount the directory itself with --mount type=bind");
        }
    }

    private void Make(VolumeRecord record)
    {
        var making = Path.Combine(_root, CreatingPrefix + Guid.NewGuid().ToString("N"));
        try
        {
            Directory.CreateDirectory(making, PassMode);
            var data = Directory.CreateDirectory(Path.Combine(making, DataName), DataMode);

            // What mkdir makes is cut by the umask; a container's user must get in whatever that is.
            File.SetUnixFileMode(data.FullName, DataMode);
            File.SetUnixFileMode(making, PassMode);
            using (var file = new FileStream(Path.Combine(making, RecordName), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                JsonSerializer.Serialize(file, record, VolumeJson.Default.VolumeRecord);
                file.Flush(flushToDisk: true);
            }

            DirectorySync.Flush(making);
            Directory.Move(making, Path.Combine(_root, record.Name));
            DirectorySync.Flush(_root);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or WherryException)
        {
            Delete(making);
            throw WherryException.System($"create {record.Name}: {failure.Message}", failure);
        }
    }

    private void Load(string directory)
    {
        var name = Path.GetFileName(directory);
        try
        {
            using var file = File.OpenRead(Path.Combine(directory, RecordName));
            var record = JsonSerializer.Deserialize(file, VolumeJson.Default.VolumeRecord);
            if (record is not null)
            {
                _volumes[name] = record with { Name = name };
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            // Data is worth more than a tidy directory: it is left for a person to look at.
            _log($"volume {name}: its record can't be read and it is left out: {failure.Message}");
        }
    }

    private void Delete(string directory)
    {
        try
        {
            // Not Directory.Delete: a program may have left names that are no text, or trees deeper than the stack.
            FileTree.RemoveTree(directory);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or WherryException)
        {
            _log($"delete {directory}: {failure.Message}; it is tried again when the engine starts");
        }
    }

    private Volume Show(VolumeRecord record) => new()
    {
        Name = record.Name,
        Driver = LocalDriver,
        Mountpoint = DirectoryOf(record.Name),
        CreatedAt = record.CreatedAt.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
        Labels = record.Labels.Count > 0 ? new(record.Labels) : null,
        Scope = "local",
    };

    private Lock StripeOf(string name) => _stripes[(uint)string.GetHashCode(name, StringComparison.Ordinal) % (uint)_stripes.Length];

    private void Release(string name)
    {
        lock (_held)
        {
            if (_held[name]-- == 1)
            {
                _held.Remove(name);
            }
        }
    }

    private sealed class Held(VolumeStore store, string name) : IDisposable
    {
        private int _released;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0)
            {
                store.Release(name);
            }
        }
    }
}
