using Wherry.Engine.State;
using Wherry.Networking.Bridge;
using Wherry.Networking.Files;

namespace Wherry.Engine.Networks;

/// <summary>
/// The three files that are bind-mounted over a container's /etc. They are rewritten in place, never replaced:
/// a running container holds the inode.
/// </summary>
internal static class NetworkFiles
{
    /// <summary>Written before the sandbox is made, as far as is known without an address.</summary>
    public static void Write(EngineParts parts, ContainerRecord record, NetworkMode mode)
    {
        var directory = parts.Store.DirectoryOf(record.Id);
        File.WriteAllText(Path.Combine(directory, "hostname"), record.Config.Hostname + "\n");
        var shared = mode.Kind == NetworkKind.Host;
        var custom = record.Host.Dns is { Count: > 0 } || record.Host.DnsSearch is { Count: > 0 } || record.Host.DnsOptions is { Count: > 0 };
        var resolver = shared && !custom
            ? ResolvConf.HostText()
            : ResolvConf.ForContainer(ResolvConf.HostText(), Servers(parts, record), record.Host.DnsSearch ?? [], record.Host.DnsOptions ?? []);
        File.WriteAllText(Path.Combine(directory, "resolv.conf"), resolver);
        if (shared && File.Exists("/etc/hosts") && record.Host.ExtraHosts is not { Count: > 0 })
        {
            File.WriteAllText(Path.Combine(directory, "hosts"), File.ReadAllText("/etc/hosts"));
            return;
        }

        WriteHosts(parts, record, endpoint: null);
    }

    // The host's own servers are reached by name of the way out where the host's network is not the bridge's.
    private static IReadOnlyList<string> Servers(EngineParts parts, ContainerRecord record) =>
        record.Host.Dns is { Count: > 0 } asked ? asked : parts.Options.Rootless?.Resolver is { } resolver ? [resolver] : [];

    /// <summary>Written again when the container's address is known, before its program runs.</summary>
    public static void WriteHosts(EngineParts parts, ContainerRecord record, Endpoint? endpoint)
    {
        var path = Path.Combine(parts.Store.DirectoryOf(record.Id), "hosts");
        File.WriteAllText(path, HostsFile.Compose(
            endpoint?.Address,
            record.Config.Hostname,
            record.Config.Domainname,
            record.Host.ExtraHosts ?? [],
            parts.Bridge.Gateway.ToString()));
    }
}
