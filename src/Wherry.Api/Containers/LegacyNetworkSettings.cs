using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Networks;
using Wherry.Api.Http;

namespace Wherry.Api.Containers;

/// <summary>Up to API 1.51 an inspected container repeated its endpoint on the default bridge one level up.</summary>
internal static class LegacyNetworkSettings
{
    private static readonly ApiVersion Removed = new(1, 52);

    public static ContainerInspectResponse For(ApiVersion version, ContainerInspectResponse container)
    {
        if (version >= Removed)
        {
            return container;
        }

        var endpoint = container.NetworkSettings.Networks.GetValueOrDefault("bridge") ?? new EndpointSettings();
        return container with
        {
            NetworkSettings = container.NetworkSettings with
            {
                Bridge = "",
                HairpinMode = false,
                LinkLocalIPv6Address = "",
                LinkLocalIPv6PrefixLen = 0,
                EndpointID = endpoint.EndpointID,
                Gateway = endpoint.Gateway,
                GlobalIPv6Address = endpoint.GlobalIPv6Address,
                GlobalIPv6PrefixLen = endpoint.GlobalIPv6PrefixLen,
                IPAddress = endpoint.IPAddress,
                IPPrefixLen = endpoint.IPPrefixLen,
                IPv6Gateway = endpoint.IPv6Gateway,
                MacAddress = endpoint.MacAddress,
            },
        };
    }
}
