using System.Globalization;
using System.Net;
using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Networks;
using Wherry.Errors;

namespace Wherry.Engine.Validation;

/// <summary>What a container may ask of its network, in Docker's words.</summary>
internal static class NetworkRules
{
    private const string ContainerPrefix = "container:";
    private const int LongestHostname = 63;

    public static void Check(ContainerCreateRequest asked, ContainerConfig config, HostConfig host, List<string> warnings)
    {
        CheckMode(asked, host);
        CheckHostname(asked, host);
        foreach (var port in config.ExposedPorts?.Keys ?? Enumerable.Empty<string>())
        {
            ParsePort(port);
        }

        foreach (var (port, bindings) in host.PortBindings ?? [])
        {
            ParsePort(port);
            foreach (var binding in bindings ?? [])
            {
                CheckBinding(binding);
            }
        }

        CheckNames(host);
        CheckHardwareAddress(config.MacAddress);
        if (host.NetworkMode == "host" && (host.PortBindings is { Count: > 0 } || host.PublishAllPorts))
        {
            warnings.Add("Published ports are discarded when using host network mode");
        }
    }

    private static void CheckMode(ContainerCreateRequest asked, HostConfig host)
    {
        var mode = host.NetworkMode;
        var isShared = mode.StartsWith(ContainerPrefix, StringComparison.Ordinal);
        if (!isShared && mode is not ("" or "default" or "bridge" or "none" or "host"))
        {
            // Not "not found": of a create request that means the image to stock clients, which then try to pull it.
            throw WherryException.Invalid($"network {mode} not found");
        }

        foreach (var (name, endpoint) in asked.NetworkingConfig?.EndpointsConfig ?? [])
        {
            if (name is not ("default" or "bridge" or "none" or "host") && name != mode)
            {
                throw WherryException.Invalid($"network {name} not found");
            }

            CheckEndpoint(endpoint);
        }

        if (!isShared)
        {
            return;
        }

        Refuse(mode.Length == ContainerPrefix.Length, "Invalid network mode: invalid container format container:<name|id>");
        Refuse(asked.Hostname.Length > 0, "conflicting options: hostname and the network mode");
        Refuse(host.Dns is { Count: > 0 }, "conflicting options: dns and the network mode");
        Refuse(host.ExtraHosts is { Count: > 0 }, "conflicting options: custom host-to-IP mapping and the network mode");
        Refuse(!string.IsNullOrEmpty(asked.MacAddress), "conflicting options: mac-address and the network mode");
        Refuse(host.PortBindings is { Count: > 0 } || host.PublishAllPorts, "conflicting options: port publishing and the container type network mode");
        Refuse(asked.ExposedPorts is { Count: > 0 }, "conflicting options: port exposing and the container type network mode");
    }

    private static void CheckEndpoint(EndpointSettings? endpoint)
    {
        if (endpoint is null)
        {
            return;
        }

        if (endpoint.Links is { Count: > 0 })
        {
            throw WherryException.Unsupported("--link is not supported; containers reach one another by address");
        }

        if (endpoint.IPAMConfig?.IPv6Address is { Length: > 0 })
        {
            throw WherryException.Unsupported("--ip6 is not supported; the bridge has IPv4 addresses");
        }

        if (endpoint.IPAMConfig?.IPv4Address is { Length: > 0 } address)
        {
            Refuse(!IsIpv4(address), $"invalid IPv4 address: {address}");
        }

        // Docker refuses aliases on its default bridge too: there is no name service there.
        Refuse(endpoint.Aliases is { Count: > 0 }, "network-scoped alias is supported only for containers in user defined networks");
        CheckHardwareAddress(endpoint.MacAddress);
    }

    private static void CheckHostname(ContainerCreateRequest asked, HostConfig host)
    {
        Refuse(host.UTSMode == "host" && asked.Hostname.Length > 0, "conflicting options: hostname and the UTS mode");

        // The kernel takes 64 bytes, RFC 1123 labels are 63.
        Refuse(
            asked.Hostname.Length > LongestHostname || !IsHostname(asked.Hostname),
            $"invalid hostname format: {asked.Hostname}");
        Refuse(asked.Domainname.Length > LongestHostname || !IsHostname(asked.Domainname), $"invalid domainname format: {asked.Domainname}");
    }

    private static bool IsHostname(string name) =>
        name.Length == 0
        || (name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or '_') && name[0] is not ('-' or '.') && name[^1] != '-');

    /// <summary><c>80</c>, <c>80/tcp</c>; a range only where both ends are the same.</summary>
    public static (ushort Number, string Protocol) ParsePort(string text)
    {
        var slash = text.IndexOf('/');
        var protocol = slash < 0 ? "tcp" : text[(slash + 1)..].ToLowerInvariant();
        Refuse(protocol is not ("tcp" or "udp" or "sctp"), $"invalid protocol: {protocol}");
        var number = slash < 0 ? text : text[..slash];
        if (!ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            throw WherryException.Invalid($"invalid port specification: \"{text}\"");
        }

        return (port, protocol);
    }

    private static void CheckBinding(PortBinding binding)
    {
        Refuse(binding.HostIp.Length > 0 && !IPAddress.TryParse(binding.HostIp.Trim('[', ']'), out _), $"invalid IP address: {binding.HostIp}");
        if (binding.HostPort.Length == 0)
        {
            return;
        }

        var ends = binding.HostPort.Split('-');
        if (ends.Length == 2 && ends.All(end => ushort.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            throw WherryException.Unsupported(
                $"choosing a host port out of the range {binding.HostPort} is not supported; leave the host port out to get any free one");
        }

        Refuse(!ushort.TryParse(binding.HostPort, NumberStyles.None, CultureInfo.InvariantCulture, out _), $"invalid port specification: \"{binding.HostPort}\"");
    }

    private static void CheckNames(HostConfig host)
    {
        foreach (var entry in host.ExtraHosts ?? [])
        {
            var colon = entry.IndexOf(':');
            Refuse(colon <= 0 || colon == entry.Length - 1, $"bad format for add-host: \"{entry}\"");
            var address = entry[(colon + 1)..].Trim('[', ']');
            Refuse(address != "host-gateway" && !IPAddress.TryParse(address, out _), $"invalid IP address in add-host: \"{address}\"");
            Refuse(entry.Any(char.IsControl), $"bad format for add-host: \"{entry}\"");
        }

        foreach (var server in host.Dns ?? [])
        {
            Refuse(!IPAddress.TryParse(server, out _), $"{server} is not an ip address");
        }

        foreach (var text in (host.DnsSearch ?? []).Concat(host.DnsOptions ?? []))
        {
            // They become lines of resolv.conf: one line each.
            Refuse(text.Any(letter => char.IsControl(letter) || char.IsWhiteSpace(letter)), $"invalid DNS search domain or option: \"{text}\"");
        }
    }

    private static void CheckHardwareAddress(string? address)
    {
        if (string.IsNullOrEmpty(address))
        {
            return;
        }

        var parts = address.Split(':', '-');
        Refuse(
            parts.Length != 6 || parts.Any(part => part.Length != 2 || !part.All(char.IsAsciiHexDigit)),
            $"invalid MAC address: {address}");
    }

    private static bool IsIpv4(string text) =>
        IPAddress.TryParse(text, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;

    private static void Refuse(bool isWrong, string message)
    {
        if (isWrong)
        {
            throw WherryException.Invalid(message);
        }
    }
}
