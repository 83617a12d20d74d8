using System.Collections.Concurrent;
using System.Security.Cryptography;
using Wherry.Errors;
using Wherry.Linux.Netlink;
using Wherry.Linux.NetworkNamespaces;
using Wherry.Networking.Addressing;
using Wherry.Networking.Publishing;

namespace Wherry.Networking.Bridge;

/// <summary>
/// The engine's default network: a bridge with its own subnet, NAT to the outside, and published ports. Everything it makes
/// on the host is the bridge, the links on it and one nftables table, all named after the bridge; engines with different
/// names don't meet. Thread-safe; operations on different endpoints run side by side and share no lock for longer than one
/// exchange with the kernel. Where another program drops forwarded packets by policy, as a Docker on the same host does in
/// iptables' FORWARD chain, no table of ours can overrule it: see <c>PortTable</c>. Disposing gives up ports and sockets and leaves links and rules to the living containers.
/// </summary>
public sealed class BridgeNetwork : IAsyncDisposable
{
    private static readonly TimeSpan AddressPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RestartPatience = TimeSpan.FromMilliseconds(150);

    private readonly BridgeOptions _options;
    private readonly Action<string> _log;
    private readonly SemaphoreSlim _setup = new(1);

    // By container: each has one place on the bridge.
    private readonly ConcurrentDictionary<string, (Endpoint Endpoint, PortLease Lease)> _live = new(StringComparer.Ordinal);
    private readonly PortReservations _reservations;
    private readonly NetworkNamespace? _namespace;
    private volatile Host? _host;

    /// <param name="options">Names and addresses.</param>
    /// <param name="log">Told, in one line each, what was repaired or cleaned up.</param>
    public BridgeNetwork(BridgeOptions options, Action<string>? log = null)
    {
        _options = options;
        _log = log ?? (_ => { });
        _namespace = options.NamespacePath is { } path ? NetworkNamespace.Open(path) : null;
        _reservations = new PortReservations(_log, new ContainerSockets(_namespace));
    }

    /// <summary>The containers' subnet; known once the network was ensured.</summary>
    public Ipv4Subnet Subnet => Ready.Bridge.Subnet;

    /// <summary>The bridge's own address, which is the containers' default route and their name for the host.</summary>
    public Ipv4Address Gateway => Ready.Bridge.Gateway;

    private Host Ready => _host ?? throw new InvalidOperationException($"bridge {_options.BridgeName} was not set up yet");

    /// <summary>
    /// Makes bridge, address, kernel settings and rules as they should be. Idempotent and cheap when done already; leaves the
    /// elements of published ports alone, which are the affair of <see cref="RestoreAsync"/>.
    /// </summary>
    public Task EnsureAsync(CancellationToken cancel = default) => EnsureAsync(former: null, cancel);

    /// <summary>
    /// Plugs a container in: address, ports, link, rules, relays, in this order; a failure undoes what was done. The caller
    /// persists the result; if it dies before, <see cref="RestoreAsync"/> cleans up.
    /// </summary>
    /// <exception cref="WherryException">
    /// A port is taken (with Docker's wording), no address is free, the address asked for is somebody else's, or the kernel refused.
    /// </exception>
    public async Task<Endpoint> ConnectAsync(EndpointRequest request, CancellationToken cancel = default)
    {
        var host = await EnsureAsync(former: null, cancel);
        await DisconnectFormerAsync(request.ContainerId);
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        using var undo = new UndoStack(_log);

        var address = await TakeAddressAsync(host, request, cancel);
        var link = EndpointPlug.LinkName(id);
        undo.Push(() => ReleaseAddress(host, address, request.ContainerId, link));
        var hardware = ParseHardwareAddress(request.MacAddress) ?? address.ToMacAddress();

        var lease = ReservePorts(request, id);
        undo.Push(lease.Dispose);

        using (var target = NetworkNamespace.Open(request.NetworkNamespacePath))
        {
            cancel.ThrowIfCancellationRequested();
            await PlugAsync(host, target, link, address, hardware);
        }

        var endpoint = new Endpoint
        {
            EndpointId = id,
            ContainerId = request.ContainerId,
            ContainerName = request.ContainerName,
            MacAddress = hardware.ToString(),
            Address = address.ToString(),
            PrefixLength = host.Bridge.Subnet.PrefixLength,
            Gateway = host.Bridge.Gateway.ToString(),
            HostInterface = link,
            Ports = lease.Ports,
        };
        cancel.ThrowIfCancellationRequested();
        undo.Push(() => host.Table.Remove(endpoint));
        host.Table.Add(endpoint);
        lease.Activate(address.ToIPAddress());
        _live[request.ContainerId] = (endpoint, lease);
        undo.Disarm();
        host.Flows.AfterPublishing(endpoint);
        return endpoint;
    }

    /// <summary>
    /// Takes a container's rules, ports and relays away and frees its address once its link has gone, which the end of its
    /// namespace sees to. No error when it was disconnected before. Takes a fraction of a millisecond.
    /// </summary>
    public async Task DisconnectAsync(Endpoint endpoint)
    {
        var host = await EnsureAsync(former: null, CancellationToken.None);
        try
        {
            if (!IsAnothers(endpoint))
            {
                host.Table.Remove(endpoint);
            }
        }
        finally
        {
            if (IsLive(endpoint) && _live.TryRemove(endpoint.ContainerId, out var live))
            {
                live.Lease.Dispose();
                host.Flows.AfterWithdrawing(endpoint);
                ReleaseAddress(host, Ipv4Address.Parse(endpoint.Address), endpoint.ContainerId, endpoint.HostInterface);
            }
        }
    }

    /// <summary>
    /// Takes up the network of a former engine: addresses, ports and relays of the containers that live, one transaction
    /// that replaces all rules, and the deletion of links on this bridge that belong to none of them. To be called once,
    /// at the start, also without living containers.
    /// </summary>
    public async Task RestoreAsync(IReadOnlyList<Endpoint> live, CancellationToken cancel = default)
    {
        var host = await EnsureAsync(live.Count > 0 ? FormerAddress(live[0]) : null, cancel);
        foreach (var endpoint in live)
        {
            cancel.ThrowIfCancellationRequested();
            if (IsLive(endpoint))
            {
                continue;
            }

            try
            {
                host.Pool.Take(Ipv4Address.Parse(endpoint.Address), endpoint.ContainerId);
            }
            catch (WherryException e)
            {
                _log($"address of container {endpoint.ContainerName} could not be taken up again: {e.Message}");
            }

            var lease = _reservations.Restore(endpoint.Ports, endpoint.EndpointId, endpoint.ContainerName);
            lease.Activate(Ipv4Address.Parse(endpoint.Address).ToIPAddress());
            _live[endpoint.ContainerId] = (endpoint, lease);
        }

        host.Table.Replace(host.Bridge, [.. _live.Values.Select(entry => entry.Endpoint)]);
        MendLinks(host);
    }

    /// <summary>Removes the table, the bridge and all links on it that are this engine's.</summary>
    public async Task RemoveAllAsync()
    {
        var host = await EnsureAsync(former: null, CancellationToken.None);
        await _setup.WaitAsync();
        try
        {
            GiveUpLeases();
            host.Table.Delete();
            LinkReaper.DeleteTogether(host.Route, [.. Links.List(host.Route).Where(link => IsOurs(link, host)), host.Link]);
            Close(host);
        }
        finally
        {
            _setup.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _setup.WaitAsync();
        try
        {
            GiveUpLeases();
            if (_host is { } host)
            {
                Close(host);
            }
        }
        finally
        {
            _setup.Release();
            _namespace?.Dispose();
        }
    }

    private async Task<Host> EnsureAsync((Ipv4Address Gateway, Ipv4Subnet Subnet)? former, CancellationToken cancel)
    {
        if (_host is { } ready)
        {
            return ready;
        }

        await _setup.WaitAsync(cancel);
        try
        {
            return _host ??= await SetUpAsync(former, cancel);
        }
        finally
        {
            _setup.Release();
        }
    }

    private async Task<Host> SetUpAsync((Ipv4Address Gateway, Ipv4Subnet Subnet)? former, CancellationToken cancel)
    {
        var route = await InNamespaceAsync(() => NetlinkSocket.Open(NetlinkSocket.Route));
        NetlinkSocket? netfilter = null;
        try
        {
            netfilter = await InNamespaceAsync(() => NetlinkSocket.Open(NetlinkSocket.Netfilter));
            var bridge = await BridgeInterface.EnsureAsync(_options, route, former, cancel);
            var table = new PortTable(_options.TableName, netfilter);
            // The rules stand before the settings that they guard.
            table.Ensure(bridge);
            await InNamespaceAsync(() =>
            {
                KernelSettings.RouteLoopbackTo(bridge.Name);
                KernelSettings.EnableForwarding(_log);
                return true;
            });
            var pool = new AddressPool(bridge.Subnet, bridge.Gateway);
            return new Host(route, netfilter, bridge, table, pool, new LinkReaper(route, pool.Drained, _log), new StaleFlows(netfilter, _log));
        }
        catch
        {
            netfilter?.Dispose();
            route.Dispose();
            throw;
        }
    }

    // Sockets, and what /proc/sys/net shows, are those of the namespace a thread is in.
    private Task<T> InNamespaceAsync<T>(Func<T> work) => _namespace is null ? Task.FromResult(work()) : NetworkNamespace.OnOwnThreadAsync(() =>
    {
        _namespace.Enter();
        return work();
    });

    private async Task DisconnectFormerAsync(string containerId)
    {
        if (_live.TryGetValue(containerId, out var former))
        {
            _log($"container {former.Endpoint.ContainerName} was still connected; its former endpoint is given up");
            await DisconnectAsync(former.Endpoint);
        }
    }

    private bool IsLive(Endpoint endpoint) =>
        _live.TryGetValue(endpoint.ContainerId, out var live) && live.Endpoint.EndpointId == endpoint.EndpointId;

    private static async Task<Ipv4Address> TakeAddressAsync(Host host, EndpointRequest request, CancellationToken cancel)
    {
        if (!string.IsNullOrEmpty(request.RequestedAddress))
        {
            if (!Ipv4Address.TryParse(request.RequestedAddress, out var wanted))
            {
                throw WherryException.Invalid($"invalid IPv4 address: {request.RequestedAddress}");
            }

            host.Pool.Take(wanted, request.ContainerId);
            return wanted;
        }

        if (host.Pool.DrainingAddressOf(request.ContainerId) is not null)
        {
            // A restart: the kernel takes the former link away within some 30 ms, and then the address stays what it was.
            await host.Reaper.LookSoonAsync(() => host.Pool.DrainingAddressOf(request.ContainerId) is null, RestartPatience, cancel);
        }

        if (host.Pool.TryAllocate(request.ContainerId) is { } address)
        {
            return address;
        }

        // In a small subnet all others may belong to links that are about to go.
        await Task.WhenAny(host.Reaper.Idle, Task.Delay(AddressPatience, cancel));
        return host.Pool.TryAllocate(request.ContainerId)
            ?? throw new WherryException(ErrorKind.Unavailable, $"no available IPv4 addresses on bridge {host.Bridge.Name}: all of {host.Bridge.Subnet} are in use");
    }

    private async Task PlugAsync(Host host, NetworkNamespace target, string link, Ipv4Address address, MacAddress hardware)
    {
        try
        {
            await EndpointPlug.PlugAsync(host.Route, target, host.Bridge, link, address, hardware, _options.Mtu);
        }
        catch (NetlinkException e) when (Links.Find(host.Route, host.Bridge.Name)?.Index != host.Bridge.Index)
        {
            throw new WherryException(
                ErrorKind.System, $"bridge {host.Bridge.Name} was deleted by somebody; restart the engine, which makes it again and reconnects running containers", e);
        }
    }

    private PortLease ReservePorts(EndpointRequest request, string endpointId)
    {
        try
        {
            return _reservations.Reserve(request.Ports, endpointId, request.ContainerName);
        }
        catch (WherryException e) when (e.Kind is ErrorKind.System or ErrorKind.Unavailable)
        {
            throw new WherryException(
                e.Kind, $"driver failed programming external connectivity on endpoint {request.ContainerName} ({endpointId}): {e.Message}", e);
        }
    }

    private void ReleaseAddress(Host host, Ipv4Address address, string containerId, string link)
    {
        host.Pool.Release(address, containerId);
        host.Reaper.Watch(link, address);
    }

    /// <summary>Whether one of the endpoint's ports has come into other hands since it was disconnected: then its elements are theirs.</summary>
    private bool IsAnothers(Endpoint endpoint) => !IsLive(endpoint) && _reservations.HasHolder(endpoint.Ports);

    private void MendLinks(Host host)
    {
        var owned = _live.Values.Select(entry => entry.Endpoint.HostInterface).ToHashSet(StringComparer.Ordinal);
        List<Link> strangers = [];
        var batch = new NetlinkBatch();
        foreach (var link in Links.List(host.Route))
        {
            if (owned.Remove(link.Name))
            {
                if (link.Master != host.Bridge.Index)
                {
                    _log($"link {link.Name} had lost its bridge; attaching it again");
                    Links.SetMaster(batch, link, host.Bridge.Index);
                }
            }
            else if (IsOurs(link, host))
            {
                strangers.Add(link);
            }
        }

        host.Route.Execute(batch);
        if (strangers.Count > 0)
        {
            _log($"deleting {strangers.Count} links of containers that are gone: {string.Join(", ", strangers.Select(link => link.Name))}");
            LinkReaper.DeleteTogether(host.Route, strangers);
        }

        foreach (var missing in owned)
        {
            _log($"link {missing} of a running container is missing; the container has no network until it is restarted");
        }
    }

    private static bool IsOurs(Link link, Host host) =>
        link.Master == host.Bridge.Index && link.Kind == "veth" && link.Name.StartsWith(EndpointPlug.LinkPrefix, StringComparison.Ordinal);

    private void GiveUpLeases()
    {
        foreach (var (_, lease) in _live.Values)
        {
            lease.Dispose();
        }

        _live.Clear();
    }

    private void Close(Host host)
    {
        _host = null;
        host.Netfilter.Dispose();
        host.Route.Dispose();
    }

    private static (Ipv4Address Gateway, Ipv4Subnet Subnet)? FormerAddress(Endpoint endpoint) =>
        Ipv4Address.TryParse(endpoint.Gateway, out var gateway) ? (gateway, new Ipv4Subnet(gateway, endpoint.PrefixLength)) : null;

    private static MacAddress? ParseHardwareAddress(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return MacAddress.TryParse(text, out var address)
            ? address
            : throw WherryException.Invalid($"invalid MAC address: {text}: expected six hexadecimal pairs of a unicast address, e.g. 02:42:ac:11:00:02");
    }

    /// <summary>What stands on the host while the network is up; owned by the network.</summary>
    private sealed record Host(
        NetlinkSocket Route, NetlinkSocket Netfilter, BridgeInterface Bridge, PortTable Table, AddressPool Pool, LinkReaper Reaper, StaleFlows Flows)
    {
        public Link Link => new(Bridge.Index, Bridge.Name, "bridge", 0, IsUp: true);
    }
}
