using System.Globalization;
using System.Net;
using Wherry.Errors;

namespace Wherry.Daemon.Sockets;

/// <summary>Where to listen.</summary>
internal abstract record ListenAddress
{
    private const int DefaultPort = 2375;

    /// <summary>Reads <c>unix://PATH</c> or <c>tcp://ADDRESS:PORT</c>.</summary>
    /// <exception cref="WherryException">It is neither, or a TCP address that others can reach.</exception>
    public static ListenAddress Parse(string text)
    {
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? text : text[(scheme + 3)..];
        return (scheme < 0 ? "" : text[..scheme]) switch
        {
            "unix" when rest.StartsWith('/') => new UnixAddress(rest),
            "unix" => throw WherryException.Invalid($"host {text}: the socket's path must be absolute, as in unix:///run/wherry/wherry.sock"),
            "tcp" => ParseTcp(text, rest),
            "" when rest.StartsWith('/') => new UnixAddress(rest),
            "fd" => throw WherryException.Unsupported($"host {text}: sockets handed over by systemd aren't supported: use unix:///run/wherry/wherry.sock"),
            _ => throw WherryException.Invalid($"host {text}: it must be unix://PATH or tcp://127.0.0.1:PORT"),
        };
    }

    private static TcpAddress ParseTcp(string text, string rest)
    {
        var colon = rest.LastIndexOf(':');
        var hasPort = colon >= 0 && !rest.EndsWith(']');
        var name = (hasPort ? rest[..colon] : rest).Trim('[', ']');
        var port = DefaultPort;
        if (hasPort && !(int.TryParse(rest[(colon + 1)..].TrimEnd('/'), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65535))
        {
            throw WherryException.Invalid($"host {text}: the port must be a number from 1 to 65535");
        }

        var address = name switch
        {
            "" => IPAddress.Any,
            "localhost" => IPAddress.Loopback,
            _ => IPAddress.TryParse(name, out var parsed)
                ? parsed
                : throw WherryException.Invalid($"host {text}: \"{name}\" must be an IP address"),
        };
        return IPAddress.IsLoopback(address)
            ? new TcpAddress(new IPEndPoint(address, port))
            : throw WherryException.Invalid(
                $"host {text}: refused, because without TLS whoever reaches that address would be root on this host: use tcp://127.0.0.1:{port} or a unix socket, and ssh to come from elsewhere");
    }
}

internal sealed record UnixAddress(string Path) : ListenAddress
{
    public override string ToString() => "unix://" + Path;
}

internal sealed record TcpAddress(IPEndPoint EndPoint) : ListenAddress
{
    public override string ToString() => "tcp://" + EndPoint;
}
