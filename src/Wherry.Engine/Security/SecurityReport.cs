using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Security;
using Wherry.Engine.Containers;
using Wherry.Engine.Specs;
using Wherry.Engine.State;
using Wherry.Engine.Volumes;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Engine.Security;

/// <summary>Tells what protects one container: what the kernel says where it runs, else what it is to get.</summary>
internal static class SecurityReport
{
    private static readonly Dictionary<string, Func<ContainerRecord, bool>> AskedForHosts = new(StringComparer.Ordinal)
    {
        ["user"] = record => record.Ids is null,
        ["pid"] = record => record.Host.PidMode == "host",
        ["mnt"] = _ => false,
        ["net"] = record => record.Host.NetworkMode == "host",
        ["ipc"] = record => record.Host.IpcMode == "host",
        ["uts"] = record => record.Host.UTSMode == "host",
        ["cgroup"] = record => record.Host.CgroupnsMode != "private",
    };

    /// <summary>Which of its modes makes a container join another's.</summary>
    private static readonly Dictionary<string, Func<HostConfig, string>> Modes = new(StringComparer.Ordinal)
    {
        ["user"] = config => config.UsernsMode,
        ["pid"] = config => config.PidMode,
        ["net"] = config => config.NetworkMode,
        ["ipc"] = config => config.IpcMode,
    };

    public static ContainerSecurity Of(EngineParts parts, Container container)
    {
        var (host, registry) = (parts.Host, parts.Registry);
        var record = container.Record;
        var options = SecurityOptions.Parse(record.Host.SecurityOpt);
        var facts = record.Life.IsAlive && container.Sandbox?.HostPid is { } pid ? ProcessFacts.TryRead(pid) : null;
        var asksFilter = host.Seccomp && options.Seccomp != SecurityOptions.Unconfined && !(record.Host.Privileged && options.Seccomp is null);
        var isUnmasked = record.Host.Privileged || options.UnmaskPaths;
        var report = new ContainerSecurity
        {
            Id = record.Id,
            Name = record.Name,
            Running = facts is not null,
            User = facts is null ? null : Inside(record, facts),
            Privileged = record.Host.Privileged,
            Namespaces =
            [
                .. facts is null
                    ? AskedForHosts.Select(entry => State(entry.Key, entry.Value(record)))
                    : facts.OwnNamespaces.Select(entry => State(entry.Key, !entry.Value)),
            ],
            UserMappings = facts?.UserMappings ?? [.. (record.Ids?.Users ?? []).Select(range => $"{range.Inside} {range.Outside} {range.Count}")],
            Capabilities = facts is null
                ? DefaultCapabilities.For(record.Host, host).Bounding
                : [.. CapabilityNames.All.Where(facts.Capabilities.Contains)],
            NoNewPrivileges = facts?.NoNewPrivileges ?? options.NoNewPrivileges,
            Seccomp = !(facts?.IsFiltered ?? asksFilter) ? "none" : options.Seccomp is null or SecurityOptions.Builtin ? "builtin" : "custom",
            AppArmor = host.AppArmor ? facts?.Label ?? AppArmorProfiles.Shown(record, host) : "",
            SignalScope = host.SignalScope && !SharesWithAnother(record.Host) && LaunchOrder.CanBeScoped(SandboxPlan.SpecOf(parts, record)),
            SelinuxLabel = host.SeLinux ? facts?.Label ?? "" : "",
            ReadonlyRootfs = record.Host.ReadonlyRootfs,
            NoSuidRoot = options.NoSuid,
            MaskedPaths = isUnmasked ? 0 : record.Host.MaskedPaths?.Count ?? 0,
            ReadonlyPaths = isUnmasked ? 0 : record.Host.ReadonlyPaths?.Count ?? 0,
            WritableMounts =
            [
                .. record.Mounts.Where(mount => !mount.ReadOnly).Select(mount => new WritableMount(mount.Destination, mount.Source ?? "", mount.Type switch
                {
                    MountType.Bind => "bind",
                    MountType.Volume => "volume",
                    _ => "tmpfs",
                })),
            ],
            Devices = record.Host.Privileged ? ["all"] : [.. (record.Host.Devices ?? []).Select(device => device.PathOnHost), .. (record.Host.DeviceCgroupRules ?? [])],
            Findings = [],
        };
        return report with { Findings = SecurityFindings.For(report, record.Host, record.Config, [.. record.Mounts]) };

        NamespaceState State(string type, bool isHosts) =>
            isHosts ? new(type, "host")
            : Joined(record, type) is { } peer ? new(type, "container", [registry.Find(peer)?.Record.Name ?? peer])
            : new(type, "own", Guests(container, registry, type) is { Count: > 0 } guests ? guests : null);
    }

    /// <summary>The container whose namespace this one joins, as the user named it.</summary>
    private static string? Joined(ContainerRecord record, string type) => Modes.TryGetValue(type, out var mode) ? Peer.NameIn(mode(record.Host)) : null;

    private static List<string> Guests(Container container, ContainerRegistry registry, string type) =>
    [
        .. from other in registry.Snapshot()
           where other.Life.IsAlive && Joined(other.Record, type) is { } peer && registry.Find(peer) == container
           select other.Record.Name,
    ];

    // As the image's own files call the user.
    private static string Inside(ContainerRecord record, ProcessFacts facts)
    {
        var (uid, gid) = record.Ids?.Map.Inside(facts.Uid, facts.Gid) ?? (facts.Uid, facts.Gid);
        return $"{uid}:{gid}";
    }

    private static bool SharesWithAnother(HostConfig host) =>
        new[] { host.NetworkMode, host.PidMode, host.IpcMode }.Any(mode => Peer.NameIn(mode) is not null);
}
