using System.Net;
using System.Text;
using Wherry.Errors;

namespace Wherry.Networking.Files;

/// <summary>Composes a container's <c>/etc/hosts</c> (hosts(5)) with the entries Docker users expect, in Docker's order.</summary>
public static class HostsFile
{
    private const string Preamble = """
        127.0.0.1	localhost
        ::1	localhost ip6-localhost ip6-loopback
        fe00::	ip6-localnet
        ff00::	ip6-mcastprefix
        ff02::1	ip6-allnodes
        ff02::2	ip6-allrouters

        """;

    /// <param name="address">The container's own address, or null when it has none (network <c>none</c>).</param>
    /// <param name="hostname">The container's host name.</param>
    /// <param name="domainName">Its domain, or null.</param>
    /// <param name="extraHosts"><c>--add-host</c> entries, <c>NAME:ADDRESS</c> or <c>NAME=ADDRESS</c>; the address <c>host-gateway</c> stands for <paramref name="gateway"/>.</param>
    /// <param name="gateway">The host as the container sees it, or null where there is none.</param>
    public static string Compose(
        string? address, string hostname, string? domainName = null, IReadOnlyList<string>? extraHosts = null, string? gateway = null)
    {
        var text = new StringBuilder(Preamble);
        foreach (var extra in extraHosts ?? [])
        {
            var (name, target) = ParseExtraHost(extra, gateway);
            text.Append(target).Append('\t').Append(name).Append('\n');
        }

        if (!string.IsNullOrEmpty(address))
        {
            text.Append(address).Append('\t');
            if (!string.IsNullOrEmpty(domainName))
            {
                text.Append(hostname).Append('.').Append(domainName).Append(' ');
            }

            text.Append(hostname).Append('\n');
        }

        return text.ToString();
    }

    private static (string Name, string Address) ParseExtraHost(string extra, string? gateway)
    {
        var split = extra.IndexOfAny(['=', ':']);
        if (split <= 0 || split == extra.Length - 1 || extra.AsSpan(0, split).IndexOfAny(" \t\r\n") >= 0)
        {
            throw WherryException.Invalid($"bad format for add-host: \"{extra}\": expected NAME:ADDRESS");
        }

        var name = extra[..split];
        var target = extra[(split + 1)..].Trim('[', ']');
        if (target == "host-gateway")
        {
            return (name, gateway ?? throw WherryException.Invalid($"unable to derive the IP value for host-gateway in \"{extra}\": the container is on no bridge"));
        }

        return IPAddress.TryParse(target, out var parsed)
            ? (name, parsed.ToString())
            : throw WherryException.Invalid($"invalid IP address in add-host: \"{target}\"");
    }
}
