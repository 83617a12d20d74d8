using System.Net;
using Wherry.Api.Contracts.Networks;
using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Parsing;

/// <summary>Ports to publish (<c>-p [[ip:]hostPort:]containerPort[/proto]</c>, with ranges) and to expose.</summary>
internal static class PortSpec
{
    /// <summary>The container's ports (<c>80/tcp</c>) and the host's ports they are bound to, in the order given.</summary>
    /// <exception cref="CliException">The text is no port specification.</exception>
    internal static List<(string Port, PortBinding Binding)> Parse(string text)
    {
        var spec = FromFields(text);
        var (address, host, container) = Split(spec);
        var (protocol, containerPorts) = SplitProtocol(container);
        if (containerPorts.Length == 0)
        {
            throw Invalid($"no port specified: {spec}<empty>");
        }

        protocol = protocol.ToLowerInvariant();
        if (protocol is not ("tcp" or "udp" or "sctp"))
        {
            throw Invalid("invalid proto: " + protocol);
        }

        if (address is ['[', .. var inner, ']'])
        {
            address = inner;
        }

        if (address.Length > 0 && !IsAddress(address))
        {
            throw Invalid("invalid IP address: " + address);
        }

        if (!TryRange(containerPorts, out var first, out var last))
        {
            throw Invalid("invalid containerPort: " + containerPorts);
        }

        var hostFirst = 0;
        var hostLast = 0;
        if (host.Length > 0 && !TryRange(host, out hostFirst, out hostLast))
        {
            throw Invalid("invalid hostPort: " + host);
        }

        if (host.Length > 0 && last - first != hostLast - hostFirst && last != first)
        {
            throw Invalid($"invalid ranges specified for container and host Ports: {containerPorts} and {host}");
        }

        var ports = new List<(string, PortBinding)>(last - first + 1);
        for (var offset = 0; offset <= last - first; offset++)
        {
            var hostPort = host.Length == 0 ? "" : $"{hostFirst + offset}";
            if (host.Length > 0 && first == last && hostFirst != hostLast)
            {
                hostPort += $"-{hostLast}";
            }

            ports.Add(($"{first + offset}/{protocol}", new PortBinding { HostIp = address, HostPort = hostPort }));
        }

        return ports;
    }

    /// <summary>Ports of <c>--expose 80</c>, <c>--expose 7000-7010/udp</c>.</summary>
    internal static IEnumerable<string> ParseExposed(string text)
    {
        if (text.Contains(':', StringComparison.Ordinal))
        {
            throw Invalid("invalid port format for --expose: " + text);
        }

        var (protocol, ports) = SplitProtocol(text);
        if (!TryRange(ports, out var first, out var last))
        {
            throw Invalid($"invalid range format for --expose: {text}, error: strconv.ParseUint: parsing \"{ports}\": invalid syntax");
        }

        return Enumerable.Range(first, last - first + 1).Select(port => $"{port}/{protocol}");
    }

    /// <summary>Rewrites <c>target=80,published=8080,protocol=tcp</c> to the colon form.</summary>
    private static string FromFields(string text)
    {
        if (!text.Contains('=', StringComparison.Ordinal))
        {
            return text;
        }

        var fields = new Dictionary<string, string>(StringComparer.Ordinal) { ["protocol"] = "tcp" };
        foreach (var field in text.Split(','))
        {
            var equals = field.IndexOf('=');
            if (equals <= 0)
            {
                throw Invalid($"invalid publish opts format (should be name=value but got '{field}')");
            }

            fields[field[..equals]] = field[(equals + 1)..];
        }

        return $"{fields.GetValueOrDefault("published")}:{fields.GetValueOrDefault("target")}/{fields["protocol"]}";
    }

    private static (string Address, string Host, string Container) Split(string text)
    {
        var parts = text.Split(':');
        return parts switch
        {
            [var container] => ("", "", container),
            [var host, var container] => ("", host, container),
            [.. var address, var host, var container] => (string.Join(':', address), host, container),
            [] => ("", "", ""),
        };
    }

    private static (string Protocol, string Port) SplitProtocol(string text)
    {
        var slash = text.IndexOf('/');
        if (text.Length == 0 || slash == 0)
        {
            return ("", "");
        }

        if (slash < 0)
        {
            return ("tcp", text);
        }

        var protocol = text[(slash + 1)..];
        return (protocol.Length == 0 ? "tcp" : protocol, text[..slash]);
    }

    private static bool TryRange(string text, out int first, out int last)
    {
        var dash = text.IndexOf('-');
        if (dash < 0)
        {
            return Numbers.TryPort(text, out first) & ((last = first) >= 0);
        }

        last = 0;
        return Numbers.TryPort(text.AsSpan(0, dash), out first) && Numbers.TryPort(text.AsSpan(dash + 1), out last) && last >= first;
    }

    private static bool IsAddress(string text)
        => IPAddress.TryParse(text, out _) && (text.Contains(':', StringComparison.Ordinal) || text.Count(static c => c == '.') == 3);

    private static CliException Invalid(string message) => new UsageException(message);
}
