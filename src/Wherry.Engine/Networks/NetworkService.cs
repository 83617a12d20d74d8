using Wherry.Api.Contracts.Networks;
using Wherry.Engine.Containers;
using Wherry.Engine.Filters;
using Wherry.Errors;

namespace Wherry.Engine.Networks;

/// <summary>The three networks every engine has, to be looked at: they are neither made nor removed.</summary>
public sealed class NetworkService
{
    /// <summary>They have always been there; a fixed day keeps answers the same.</summary>
    private static readonly string Created = ContainerViews.Time(DateTimeOffset.UnixEpoch);

    private readonly EngineParts _parts;

    internal NetworkService(EngineParts parts) => _parts = parts;

    /// <param name="filters"><c>name</c>, <c>id</c>, <c>driver</c>, <c>scope</c>, <c>type</c>, <c>label</c>, <c>dangling</c>.</param>
    /// <param name="cancel">Gives up setting up the bridge.</param>
    public async Task<IReadOnlyList<Network>> ListAsync(FilterArguments filters, CancellationToken cancel)
    {
        filters.RequireKnown("name", "id", "driver", "scope", "type", "label", "dangling");
        var networks = new List<Network>();
        foreach (var name in NetworkIds.Names)
        {
            var network = await DescribeAsync(name, cancel).ConfigureAwait(false);
            if (filters.MatchesPattern("name", network.Name)
                && (!filters.Contains("id") || filters["id"].Any(prefix => network.Id.StartsWith(prefix, StringComparison.Ordinal)))
                && filters.MatchesExactly("driver", network.Driver)
                && filters.MatchesExactly("scope", network.Scope)
                && filters.MatchesExactly("type", "builtin")
                && filters.MatchesLabels("label", network.Labels)
                && filters.Flag("dangling") != true)
            {
                networks.Add(network);
            }
        }

        return networks;
    }

    /// <summary>One network and the running containers on it.</summary>
    /// <param name="idOrName">A name, an id, or the unique beginning of an id.</param>
    /// <param name="cancel">Gives up setting up the bridge.</param>
    public async Task<Network> InspectAsync(string idOrName, CancellationToken cancel)
    {
        var names = NetworkIds.Names.Where(name => name == idOrName).ToArray();
        if (names.Length == 0 && idOrName.Length > 0)
        {
            names = [.. NetworkIds.Names.Where(name => NetworkIds.Of(name).StartsWith(idOrName, StringComparison.Ordinal))];
        }

        if (names is not [var found])
        {
            throw names.Length > 1
                ? WherryException.Invalid($"network {idOrName} is ambiguous ({names.Length} matches found on id prefix)")
                : WherryException.NotFound($"network {idOrName} not found");
        }

        var network = await DescribeAsync(found, cancel).ConfigureAwait(false);
        return network with { Containers = EndpointsOn(found) };
    }

    private async Task<Network> DescribeAsync(string name, CancellationToken cancel)
    {
        var network = new Network
        {
            Name = name,
            Id = NetworkIds.Of(name),
            Created = Created,
            Scope = "local",
            Driver = name == "none" ? "null" : name,
            EnableIPv4 = true,
            IPAM = new IPAM { Driver = "default" },
        };
        if (name != "bridge")
        {
            return network;
        }

        await _parts.Bridge.EnsureAsync(cancel).ConfigureAwait(false);
        return network with
        {
            IPAM = network.IPAM with
            {
                Config = [new IPAMConfig { Subnet = _parts.Bridge.Subnet.ToString(), Gateway = _parts.Bridge.Gateway.ToString() }],
            },
            Options = new Dictionary<string, string>
            {
                ["com.docker.network.bridge.default_bridge"] = "true",
                ["com.docker.network.bridge.enable_icc"] = "true",
                ["com.docker.network.bridge.enable_ip_masquerade"] = "true",
                ["com.docker.network.bridge.host_binding_ipv4"] = "0.0.0.0",
                ["com.docker.network.bridge.name"] = _parts.Options.BridgeName,
            },
        };
    }

    private Dictionary<string, EndpointResource> EndpointsOn(string network) => (
        from container in _parts.Registry.Snapshot()
        let record = container.Record
        where record.Life.IsAlive && ContainerViews.NetworkName(record.Host) == network
        let endpoint = record.Life.Endpoint
        select (record.Id, Endpoint: new EndpointResource
        {
            Name = record.Name,
            EndpointID = endpoint?.EndpointId ?? "",
            MacAddress = endpoint?.MacAddress ?? "",
            IPv4Address = endpoint is null ? "" : $"{endpoint.Address}/{endpoint.PrefixLength}",
        })).ToDictionary(entry => entry.Id, entry => entry.Endpoint, StringComparer.Ordinal);
}
