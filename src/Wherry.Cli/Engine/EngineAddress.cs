using Wherry.Cli.CommandLine;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Engine;

/// <summary>Where the engine listens: a unix socket's path, or a host and a TCP port.</summary>
internal sealed record EngineAddress
{
    /// <summary>Where root's engine listens.</summary>
    internal const string SystemSocket = "/run/wherry/wherry.sock";

    /// <summary>Of whoever calls: root's, or that of an engine of his own, if he has a place for it.</summary>
    internal static string DefaultSocket { get; } = Libc.EffectiveUserId() == 0 ? SystemSocket : ChooseForUser(Environment.GetEnvironmentVariable);

    internal string? SocketPath { get; private init; }

    internal string? Host { get; private init; }

    internal int Port { get; private init; }

    /// <summary>True where a missing engine may be started on demand: only the default socket is ours to serve.</summary>
    internal bool IsDefault => SocketPath == DefaultSocket || SocketPath == "/var" + DefaultSocket;

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

    /// <summary>
    /// His own engine's socket, in the directory of his session; but root's where he has been let in to that one and runs
    /// none himself.
    /// </summary>
    private static string ChooseForUser(Func<string, string?> environment)
    {
        var session = environment("XDG_RUNTIME_DIR") is ['/', ..] given ? given : $"/run/user/{Libc.EffectiveUserId()}";
        var own = Path.Combine(session, "wherry", "wherry.sock");
        return !Directory.Exists(session) || (!File.Exists(own) && Libc.Access(SystemSocket, Libc.WriteAccess) == 0) ? SystemSocket : own;
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
