using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Engine;

/// <summary>Where the engine listens: a unix socket's path, or a host and a TCP port.</summary>
internal sealed record EngineAddress
{
    internal const string DefaultSocket = "/run/wherry/wherry.sock";

    internal string? SocketPath { get; private init; }

    internal string? Host { get; private init; }

    internal int Port { get; private init; }

    /// <summary>True where a missing engine may be started on demand: only the default socket is ours to serve.</summary>
    internal bool IsDefault => SocketPath is DefaultSocket or "/var" + DefaultSocket;

    /// <summary>
    /// The address to use: <c>-H</c> on the command line, then <c>WHERRY_HOST</c>, then <c>DOCKER_HOST</c>, then the
    /// default socket.
    /// </summary>
    internal static EngineAddress Choose(string? option, Func<string, string?> environment)
    {
        foreach (var candidate in new[] { option, environment("WHERRY_HOST"), environment("DOCKER_HOST") })
        {
            if (!string.IsNullOrEmpty(candidate))
            {
                return Parse(candidate);
            }
        }

        return new EngineAddress { SocketPath = DefaultSocket };
    }

    /// <exception cref="CliException">The text names no address.</exception>
    internal static EngineAddress Parse(string text)
    {
        if (text.StartsWith("unix://", StringComparison.Ordinal))
        {
            var path = text["unix://".Length..];
            return new EngineAddress { SocketPath = path.Length == 0 ? DefaultSocket : path };
        }

        var separator = text.IndexOf("://", StringComparison.Ordinal);
        var scheme = separator < 0 ? "" : text[..separator];
        if (scheme is "tcp" or "http")
        {
            var rest = text[(separator + 3)..].TrimEnd('/');
            var colon = rest.LastIndexOf(':');
            var bracket = rest.LastIndexOf(']');
            var host = colon > bracket ? rest[..colon] : rest;
            var port = colon > bracket ? rest[(colon + 1)..] : "2375";
            if (int.TryParse(port, out var number) && number is > 0 and <= 65535)
            {
                host = host.Trim('[', ']');
                return new EngineAddress { Host = host.Length == 0 ? "127.0.0.1" : host, Port = number };
            }
        }

        if (scheme is "https" or "ssh" or "npipe" or "fd")
        {
            throw new CliException($"the engine's address {text} is not supported: {scheme}:// addresses cannot be reached")
            {
                Hint = "Use unix:///path/to/socket or tcp://host:port.",
            };
        }

        throw new CliException($"unable to parse docker host `{text}`")
        {
            Hint = "An address looks like unix:///run/wherry/wherry.sock or tcp://127.0.0.1:2375.",
        };
    }

    public override string ToString() => SocketPath is { } path ? "unix://" + path : $"tcp://{Host}:{Port}";
}
