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
        ["user"] = _ => true,
        ["pid"] = record => record.Host.PidMode == "host",
        ["mnt"] = _ => false,
        ["net"] = record => record.Host.NetworkMode == "host",
        ["ipc"] = record => record.Host.IpcMode == "host",
        ["uts"] = record => record.Host.UTSMode == "host",
        ["cgroup"] = record => record.Host.CgroupnsMode != "private",
    };

    public static ContainerSecurity Of(EngineParts parts, Container container)
    {
        var host = parts.Host;
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
            User = facts?.User,
            Privileged = record.Host.Privileged,
            Namespaces =
            [
                .. facts is null
                    ? AskedForHosts.Select(entry => new NamespaceState(entry.Key, entry.Value(record) ? "host" : "own"))
                    : facts.OwnNamespaces.Select(entry => new NamespaceState(entry.Key, entry.Value ? "own" : "host")),
            ],
            UserMappings = facts?.UserMappings ?? [],
            Capabilities = facts is null
                ? DefaultCapabilities.For(record.Host, host).Bounding
                : [.. CapabilityNames.All.Where(facts.Capabilities.Contains)],
            NoNewPrivileges = facts?.NoNewPrivileges ?? options.NoNewPrivileges,
            Seccomp = !(facts?.IsFiltered ?? asksFilter) ? "none" : options.Seccomp is null or SecurityOptions.Builtin ? "builtin" : "custom",
            AppArmor = host.AppArmor ? facts?.Label ?? options.AppArmor ?? "" : "",
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
    }

    private static bool SharesWithAnother(HostConfig host) =>
        new[] { host.NetworkMode, host.PidMode, host.IpcMode }.Any(mode => mode.StartsWith("container:", StringComparison.Ordinal));
}
