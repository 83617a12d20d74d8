using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Networks;
using Wherry.Engine.State;
using Wherry.Engine.UserNamespaces;
using Wherry.Engine.Validation;
using Wherry.Engine.Volumes;
using Wherry.Errors;

namespace Wherry.Engine.Containers;

public sealed partial class ContainerService
{
    private const int NameAttempts = 20;

    /// <summary>Makes a container without running anything. On any error nothing is left behind.</summary>
    /// <param name="request">As the client sent it.</param>
    /// <param name="name">Null for a generated one.</param>
    /// <param name="caller">Who asks; null where it is not known.</param>
    /// <param name="cancel">Gives up before the container exists.</param>
    public Task<ContainerCreateResponse> CreateAsync(ContainerCreateRequest request, string? name, Caller? caller, CancellationToken cancel)
    {
        if (!string.IsNullOrEmpty(name))
        {
            ContainerNames.Validate(name);
        }

        var image = _parts.Images.Resolve(request.Image);
        _parts.Images.NoteUse(image.Id);
        var config = ConfigMerge.WithImageDefaults(request, image.Config);
        var warnings = CreateRequestValidator.Validate(request, config, _parts.Host);
        var host = HostConfigDefaults.Apply(request.HostConfig ?? new HostConfig(), _parts.Host);
        Peer.Require(_parts.Registry, host);
        var size = RootSize.Of(host.StorageOpt, _parts.Layers) ?? _parts.Options.RootSize;
        var id = ContainerIdentifiers.Create();
        var reserved = ReserveName(name, id);
        try
        {
            var (mode, ids) = _parts.UserNamespaces.Choose(host, caller, id);
            host = host with { UsernsMode = mode };
            config = config.User.Length == 0 && UserNamespaceChoice.UserOf(mode, caller) is { } user ? config with { User = user } : config;
            var record = new ContainerRecord
            {
                Id = id,
                Name = reserved,
                Created = DateTimeOffset.UtcNow,
                ImageId = image.Id,
                TopChainId = image.ChainId,
                Config = config with { Hostname = HostnameOf(config, host, id) },
                Host = host,
                Ids = ids,
                RequestedAddress = RequestedAddress(request),
                RequestedMac = RequestedMac(request),
            };
            cancel.ThrowIfCancellationRequested();
            Build(record, size is 0 ? null : size);
        }
        catch
        {
            _parts.Registry.ReleaseName(reserved);
            throw;
        }
        finally
        {
            _parts.UserNamespaces.Settle(id);
        }

        return Task.FromResult(new ContainerCreateResponse { Id = id, Warnings = warnings });
    }

    /// <summary>Puts volumes, snapshot and record in place; what was made is taken back when a step fails.</summary>
    private void Build(ContainerRecord record, long? size)
    {
        var made = new List<string>();
        var holds = new List<IDisposable>();
        var directory = _parts.Store.BeginCreate(record.Id);
        try
        {
            var plan = MountResolver.Resolve(record.Config, record.Host, MountsOf);
            var mounts = plan.Select(mount => WithVolume(mount, made, holds)).ToArray();
            _parts.Layers.CreateSnapshot(_parts.SnapshotDirectoryOf(record.Id), record.TopChainId, size);
            var complete = record with { Mounts = mounts };
            _parts.Store.CompleteCreate(complete);
            _parts.Registry.Add(new Container(complete));
        }
        catch
        {
            _removal.Delete(record.Id, directory);
            holds.ForEach(hold => hold.Dispose());
            holds.Clear();
            foreach (var volume in made)
            {
                _parts.Volumes.Remove(volume, force: true, UsersOfVolume(volume));
            }

            throw;
        }
        finally
        {
            holds.ForEach(hold => hold.Dispose());
        }
    }

    /// <summary>The resolved mounts of another container, for <c>--volumes-from</c>.</summary>
    private IReadOnlyList<ResolvedMount> MountsOf(string idOrName) => _parts.Registry.Get(idOrName).Record.Mounts;

    /// <summary>Makes the volume a mount needs when it does not exist; remembers it for the undo, and keeps others from removing it meanwhile.</summary>
    private ResolvedMount WithVolume(ResolvedMount mount, List<string> made, List<IDisposable> holds)
    {
        if (mount.Type != MountType.Volume)
        {
            return mount;
        }

        if (mount.Name is not null)
        {
            holds.Add(_parts.Volumes.Hold(mount.Name));
        }

        var existed = mount.Name is { } wanted && _parts.Volumes.Find(wanted) is not null;
        var volume = _parts.Volumes.Create(mount.Name, mount.Labels);
        if (!existed)
        {
            made.Add(volume.Name);
        }

        return mount with { Name = volume.Name, Source = _parts.Volumes.DirectoryOf(volume.Name) };
    }

    private string ReserveName(string? asked, string id)
    {
        if (!string.IsNullOrEmpty(asked))
        {
            var name = asked.TrimStart('/');
            _parts.Registry.ReserveName(name, id);
            return name;
        }

        for (var attempt = 0; attempt < NameAttempts; attempt++)
        {
            var generated = ContainerNames.Generate(attempt);
            if (TryReserve(generated, id))
            {
                return generated;
            }
        }

        _parts.Registry.ReserveName(id[..12], id);
        return id[..12];
    }

    private bool TryReserve(string name, string id)
    {
        try
        {
            _parts.Registry.ReserveName(name, id);
            return true;
        }
        catch (WherryException taken) when (taken.Kind == ErrorKind.Conflict)
        {
            return false;
        }
    }

    private string HostnameOf(ContainerConfig config, HostConfig host, string id)
    {
        if (config.Hostname.Length > 0)
        {
            return config.Hostname;
        }

        var mode = NetworkMode.Parse(host.NetworkMode);
        return mode.Kind switch
        {
            NetworkKind.Host => Environment.MachineName,
            NetworkKind.Container => _parts.Registry.Get(mode.Peer!).Record.Config.Hostname,
            _ => ContainerIdentifiers.Shorten(id),
        };
    }

    private static string? RequestedAddress(ContainerCreateRequest request) =>
        DefaultEndpoint(request)?.IPAMConfig?.IPv4Address is { Length: > 0 } address ? address : null;

    private static string? RequestedMac(ContainerCreateRequest request)
    {
        if (DefaultEndpoint(request)?.MacAddress is { Length: > 0 } endpointMac)
        {
            return endpointMac;
        }

        return string.IsNullOrEmpty(request.MacAddress) ? null : request.MacAddress;
    }

    private static Wherry.Api.Contracts.Networks.EndpointSettings? DefaultEndpoint(ContainerCreateRequest request) =>
        request.NetworkingConfig?.EndpointsConfig is { } endpoints
            && (endpoints.GetValueOrDefault("bridge") ?? endpoints.GetValueOrDefault("default")) is { } endpoint
            ? endpoint
            : null;
}
