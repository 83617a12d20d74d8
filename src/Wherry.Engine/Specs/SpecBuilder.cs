using Wherry.Api.Contracts.Containers;
using Wherry.Engine.UserNamespaces;
using Wherry.Oci.Runtime;

namespace Wherry.Engine.Specs;

/// <summary>
/// From what was asked of a container to its runtime specification, as Docker users expect it. Pure: the same
/// inputs give the same specification, and nothing is looked up or made.
/// </summary>
public static class SpecBuilder
{
    public static Spec Build(SpecInputs inputs)
    {
        var host = inputs.Host;
        var security = SecurityOptions.Parse(host.SecurityOpt);
        var isUnmasked = host.Privileged || security.UnmaskPaths;
        var isOwnHostname = host.UTSMode != "host";
        return new Spec
        {
            Process = ProcessPlan.Make(inputs),
            Root = new Root { Path = inputs.RootPath, Readonly = host.ReadonlyRootfs },
            Hostname = isOwnHostname && inputs.Config.Hostname.Length > 0 ? inputs.Config.Hostname : null,
            Domainname = isOwnHostname && inputs.Config.Domainname.Length > 0 ? inputs.Config.Domainname : null,
            Mounts = MountPlan.Make(inputs),
            Annotations = host.Annotations,
            Linux = new LinuxConfig
            {
                Namespaces = NamespacePlan.Make(inputs),
                UidMappings = inputs.Ids is { } users ? IdRecord.Mappings(users.Users) : [],
                GidMappings = inputs.Ids is { } groups ? IdRecord.Mappings(groups.Groups) : [],
                Devices = [.. inputs.Devices.Select(device => device.Node)],
                CgroupsPath = inputs.CgroupsPath,
                Resources = ResourcePlan.Make(inputs),
                Sysctl = NamespacePlan.Sysctls(inputs),
                MaskedPaths = isUnmasked ? [] : host.MaskedPaths ?? HidingPaths.Masked,
                ReadonlyPaths = isUnmasked ? [] : host.ReadonlyPaths ?? HidingPaths.Readonly,
                Seccomp = inputs.Seccomp,
            },
        };
    }

    /// <summary>What was asked for by its own name: where the host can't give it, that is an error rather than a warning.</summary>
    public static IReadOnlyList<string> AskedByName(HostConfig host) => host.Privileged
        ? []
        : [.. (host.CapAdd ?? []).Select(CapabilityNames.Normalize).Where(name => name != DefaultCapabilities.AllName)];
}
