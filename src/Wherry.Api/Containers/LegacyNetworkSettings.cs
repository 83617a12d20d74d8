using Wherry.Api.Contracts.Containers;
using Wherry.Api.Http;

namespace Wherry.Api.Containers;

/// <summary>Up to API 1.51 an inspected container repeated its endpoint on the default bridge one level up.</summary>
internal static class LegacyNetworkSettings
{
    private static readonly ApiVersion Removed = new(1, 52);

    public static ContainerInspectResponse For(ApiVersion version, ContainerInspectResponse container) => version < Removed
        ? container
        : container with
        {
            NetworkSettings = container.NetworkSettings with
            {
                Bridge = null,
                HairpinMode = null,
                LinkLocalIPv6Address = null,
                LinkLocalIPv6PrefixLen = null,
                EndpointID = null,
                Gateway = null,
                GlobalIPv6Address = null,
                GlobalIPv6PrefixLen = null,
                IPAddress = null,
                IPPrefixLen = null,
                IPv6Gateway = null,
                MacAddress = null,
            },
        };
}
