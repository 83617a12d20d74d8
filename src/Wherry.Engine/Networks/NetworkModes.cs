using Wherry.Engine.State;
using Wherry.Networking.Bridge;

namespace Wherry.Engine.Networks;

internal enum NetworkKind
{
    Bridge,
    None,
    Host,
    Container,
}

/// <summary>A parsed <c>HostConfig.NetworkMode</c>.</summary>
/// <param name="Kind">Which of the four.</param>
/// <param name="Peer">The container whose network is shared, as the user named it.</param>
internal sealed record NetworkMode(NetworkKind Kind, string? Peer = null)
{
    private const string ContainerPrefix = "container:";

    /// <summary>Modes that are none of the four were refused when the container was made.</summary>
    public static NetworkMode Parse(string? mode) => mode switch
    {
        "none" => new NetworkMode(NetworkKind.None),
        "host" => new NetworkMode(NetworkKind.Host),
        not null when mode.StartsWith(ContainerPrefix, StringComparison.Ordinal) =>
            new NetworkMode(NetworkKind.Container, mode[ContainerPrefix.Length..]),
        _ => new NetworkMode(NetworkKind.Bridge),
    };
}

/// <summary>From what the API says about a container's network to what the bridge is asked for.</summary>
internal static class EndpointPlan
{
    public static EndpointRequest For(ContainerRecord record, string namespacePath) => new()
    {
        ContainerId = record.Id,
        ContainerName = record.Name,
        NetworkNamespacePath = namespacePath,
        Ports = [.. PortsOf(record)],
        RequestedAddress = record.RequestedAddress,
        MacAddress = record.RequestedMac,
        Hostname = record.Config.Hostname,
    };

    private static IEnumerable<PortRequest> PortsOf(ContainerRecord record)
    {
        var published = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (port, bindings) in record.Host.PortBindings ?? [])
        {
            var (number, protocol) = ParsePort(port);
            published.Add($"{number}/{protocol}");
            foreach (var binding in bindings ?? [])
            {
                var address = string.IsNullOrEmpty(binding.HostIp) ? null : binding.HostIp;
                var hostPort = string.IsNullOrEmpty(binding.HostPort) ? (ushort)0 : ushort.Parse(binding.HostPort);
                yield return new PortRequest(protocol, number, address, hostPort);
            }
        }

        if (record.Host.PublishAllPorts != true)
        {
            yield break;
        }

        foreach (var port in record.Config.ExposedPorts?.Keys ?? Enumerable.Empty<string>())
        {
            var (number, protocol) = ParsePort(port);
            if (published.Add($"{number}/{protocol}"))
            {
                yield return new PortRequest(protocol, number, null, 0);
            }
        }
    }

    /// <summary>Parses <c>80/tcp</c> or <c>80</c>; validated when the container was made.</summary>
    public static (ushort Number, string Protocol) ParsePort(string port)
    {
        var slash = port.IndexOf('/');
        return slash < 0 ? (ushort.Parse(port), "tcp") : (ushort.Parse(port.AsSpan(0, slash)), port[(slash + 1)..]);
    }
}
