using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Images;
using Wherry.Engine.Filters;
using Wherry.Engine.Security;
using Wherry.Engine.State;
using Wherry.Storage.Layers;

namespace Wherry.Engine.Containers;

public sealed partial class ContainerService
{
    public ContainerInspectResponse Inspect(string idOrName, bool size)
    {
        var container = _parts.Registry.Get(idOrName);
        var record = container.Record;
        var directory = _parts.Store.DirectoryOf(record.Id);
        var command = ContainerViews.CommandLine(record);
        var snapshot = _parts.SnapshotOf(record);
        return new ContainerInspectResponse
        {
            Id = record.Id,
            Created = ContainerViews.Time(record.Created),
            Path = command.Count > 0 ? command[0] : "",
            Args = [.. command.Skip(1)],
            State = ContainerViews.State(record.Life),
            Image = record.ImageId,
            ResolvConfPath = Path.Combine(directory, "resolv.conf"),
            HostnamePath = Path.Combine(directory, "hostname"),
            HostsPath = Path.Combine(directory, "hosts"),
            LogPath = _parts.LogPathOf(record),
            Name = "/" + record.Name,
            Driver = _parts.Layers.DriverName,
            Platform = record.Platform,
            AppArmorProfile = AppArmorProfiles.Shown(record, _parts.Host),
            ExecIDs = ExecIdsOf?.Invoke(record.Id),
            HostConfig = record.Host,
            GraphDriver = DriverDataOf(snapshot),
            SizeRw = size ? _parts.Layers.DiffSize(snapshot) : null,
            SizeRootFs = size ? RootFsSize(record, snapshot) : null,
            Mounts = [.. record.Mounts.Where(mount => mount.Type != Volumes.MountType.Tmpfs).Select(ContainerViews.Mount)],
            Config = record.Config,
            NetworkSettings = ContainerViews.Network(record, NetworkIdOf(record)),
        };
    }

    /// <summary>Containers that match, newest first.</summary>
    public IReadOnlyList<ContainerSummary> List(ContainerListQuery query)
    {
        var filter = new ContainerFilter(
            query.Filters,
            query.All || query.Limit > 0,
            name => _parts.Registry.Get(name).Record.Created,
            DescendantsOf);
        var chosen = from container in _parts.Registry.Snapshot()
                     let record = container.Record
                     where filter.Matches(ContainerViews.FilterSubject(record))
                     orderby record.Created descending
                     select record;
        if (query.Limit > 0)
        {
            chosen = chosen.Take(query.Limit);
        }

        var names = ImageNames();
        return [.. chosen.Select(record => Summary(record, query.Size, names))];
    }

    /// <summary>Set by the exec service, which knows them.</summary>
    internal Func<string, IReadOnlyList<string>?>? ExecIdsOf { get; set; }

    /// <summary>Containers that stand on an image, for the rules of its removal.</summary>
    public IReadOnlyList<Wherry.Images.ImageUser> UsersOf(Wherry.Images.Image image) =>
    [
        .. from container in _parts.Registry.Snapshot()
           where container.Record.ImageId == image.Id
           select new Wherry.Images.ImageUser(container.Id, container.Record.Name, container.Life.IsAlive),
    ];

    /// <summary>Names of the containers that mount a volume.</summary>
    public IReadOnlyList<string> UsersOfVolume(string volume) =>
    [
        .. from container in _parts.Registry.Snapshot()
           where container.Record.Mounts.Any(mount => mount.Type == Volumes.MountType.Volume && mount.Name == volume)
           select container.Id,
    ];

    /// <summary>The counts that <c>info</c> shows.</summary>
    public (int Running, int Paused, int Stopped) Count()
    {
        var lives = _parts.Registry.Snapshot().Select(container => container.Life.Status).ToArray();
        var running = lives.Count(status => status == ContainerStatus.Running);
        var paused = lives.Count(status => status == ContainerStatus.Paused);
        return (running, paused, lives.Length - running - paused);
    }

    /// <summary>Whether any container has a process.</summary>
    public bool AnyAlive => _parts.Registry.Snapshot().Any(container => container.Life.IsAlive);

    private ContainerSummary Summary(ContainerRecord record, bool size, Dictionary<string, string> imageNames)
    {
        var snapshot = _parts.SnapshotOf(record);
        return new ContainerSummary
        {
            Id = record.Id,
            Names = ["/" + record.Name],
            Image = ImageName(record, imageNames),
            ImageID = record.ImageId,
            Command = ContainerViews.CommandText(record),
            Created = record.Created.ToUnixTimeSeconds(),
            Ports = ContainerViews.Ports(record),
            SizeRw = size ? _parts.Layers.DiffSize(snapshot) : null,
            SizeRootFs = size ? RootFsSize(record, snapshot) : null,
            Labels = record.Config.Labels ?? [],
            State = ContainerViews.StatusWord(record.Life.Status),
            Status = ContainerViews.StatusText(record.Life, DateTimeOffset.UtcNow),
            HostConfig = new ContainerSummaryHostConfig { NetworkMode = ContainerViews.NetworkName(record.Host) },
            NetworkSettings = new ContainerSummaryNetworks
            {
                Networks = new() { [ContainerViews.NetworkName(record.Host)] = ContainerViews.Endpoint(record, NetworkIdOf(record)) },
            },
            Mounts = [.. record.Mounts.Where(mount => mount.Type != Volumes.MountType.Tmpfs).Select(ContainerViews.Mount)],
        };
    }

    /// <summary>As the user named the image while that name still means it; otherwise its id.</summary>
    private static string ImageName(ContainerRecord record, Dictionary<string, string> idOf)
    {
        var asked = record.Config.Image;
        if (asked.Length == 0 || record.ImageId.Contains(asked, StringComparison.Ordinal))
        {
            return asked.Length == 0 ? record.ImageId : asked;
        }

        return idOf.TryGetValue(asked, out var id) && id != record.ImageId ? record.ImageId : asked;
    }

    private Dictionary<string, string> ImageNames()
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var image in _parts.Images.List())
        {
            foreach (var tag in image.RepoTags)
            {
                names[tag] = image.Id;
                if (tag.EndsWith(":latest", StringComparison.Ordinal))
                {
                    names[tag[..^":latest".Length]] = image.Id;
                }
            }
        }

        return names;
    }

    /// <summary>Ids of the image so called and of those that stand on it.</summary>
    private IEnumerable<string> DescendantsOf(string reference)
    {
        if (_parts.Images.TryResolve(reference) is not { } ancestor)
        {
            return [];
        }

        var parents = _parts.Images.List().ToDictionary(image => image.Id, image => image.ParentId, StringComparer.Ordinal);
        return parents.Keys.Where(id => Lineage(id, parents).Contains(ancestor.Id));
    }

    private static IEnumerable<string> Lineage(string id, Dictionary<string, string?> parents)
    {
        for (string? current = id; current is not null; current = parents.GetValueOrDefault(current))
        {
            yield return current;
        }
    }

    private long RootFsSize(ContainerRecord record, Snapshot snapshot)
    {
        var image = _parts.Images.TryResolve(record.ImageId);
        return (image?.Size ?? 0) + _parts.Layers.DiffSize(snapshot);
    }

    private DriverData DriverDataOf(Snapshot snapshot)
    {
        var mount = _parts.Layers.Mount(snapshot);
        return new DriverData
        {
            Name = _parts.Layers.DriverName,
            Data = mount is not { Upper: { } upper, Work: { } work } ? null : new Dictionary<string, string>
            {
                ["LowerDir"] = string.Join(':', mount.Lower),
                ["UpperDir"] = upper,
                ["WorkDir"] = work,
                ["MergedDir"] = snapshot.RootFs,
            },
        };
    }

    private static string NetworkIdOf(ContainerRecord record) => Networks.NetworkIds.Of(ContainerViews.NetworkName(record.Host));
}
