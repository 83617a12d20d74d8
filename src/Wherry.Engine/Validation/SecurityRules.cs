using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Security;
using Wherry.Engine.Specs;
using Wherry.Errors;

namespace Wherry.Engine.Validation;

/// <summary>Rights and kernel parameters: what exists, what the host can give, and what would reach beyond the container.</summary>
internal static class SecurityRules
{
    private static readonly string[] IpcSysctls =
        ["kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"];

    public static void Check(HostConfig host, HostFacts facts, List<string> warnings)
    {
        CheckOptions(host, facts);
        CheckCapabilities(host, facts, warnings);
        CheckSysctls(host);
        CheckDevices(host);
        foreach (var group in host.GroupAdd ?? [])
        {
            Refuse(group.Length == 0 || group.Any(letter => char.IsControl(letter) || letter is ':' or ','), $"invalid group: \"{group}\"");
        }

        Refuse(host.Annotations?.Keys.Any(key => key.Length == 0) ?? false, "it is not permitted to have an empty annotation name");
    }

    private static void CheckOptions(HostConfig host, HostFacts facts)
    {
        var options = SecurityOptions.Parse(host.SecurityOpt);
        SeccompProfiles.Check(options.Seccomp, facts);
        AppArmorProfiles.CheckAsked(options.AppArmor, facts);
        if (options.Labels.Count > 0 && !facts.SeLinux)
        {
            throw WherryException.Unsupported($"--security-opt label={options.Labels[0]}: SELinux is not enabled in this kernel");
        }
    }

    private static void CheckCapabilities(HostConfig host, HostFacts facts, List<string> warnings)
    {
        var added = Names("CapAdd", host.CapAdd);
        Names("CapDrop", host.CapDrop);
        if (!host.Privileged)
        {
            foreach (var name in added.Where(name => name != DefaultCapabilities.AllName && !facts.Capabilities.Contains(name)))
            {
                throw WherryException.Invalid(
                    $"invalid CapAdd: capability not supported by your kernel or not available in the current environment: \"{name}\"");
            }
        }

        var withheld = CapabilityNames.All.Where(name => !facts.Capabilities.Contains(name)).ToArray();
        if (withheld.Length > 0 && (host.Privileged || added.Contains(DefaultCapabilities.AllName)))
        {
            warnings.Add($"This host withholds capabilities from the engine: the container runs without {string.Join(", ", withheld)}.");
        }
    }

    private static string[] Names(string option, IReadOnlyList<string>? asked)
    {
        var names = (asked ?? []).Select(CapabilityNames.Normalize).ToArray();
        var unknown = Array.FindIndex(names, name => name != DefaultCapabilities.AllName && !CapabilityNames.IsKnown(name));
        return unknown < 0 ? names : throw WherryException.Invalid($"invalid {option}: unknown capability: \"{names[unknown]}\"");
    }

    /// <summary>Only parameters that live in a namespace of the container's own: any other would change the host.</summary>
    private static void CheckSysctls(HostConfig host)
    {
        foreach (var name in (host.Sysctls ?? []).Keys)
        {
            var parts = name.Split('.', '/');
            Refuse(name.Length == 0 || parts.Any(part => part is "" or ".."), $"invalid sysctl name: \"{name}\"");
            var dotted = string.Join('.', parts);
            if (dotted.StartsWith("net.", StringComparison.Ordinal))
            {
                Refuse(host.NetworkMode == "host", $"sysctl \"{dotted}\" not allowed in host network namespace");
            }
            else if (IpcSysctls.Contains(dotted) || dotted.StartsWith("fs.mqueue.", StringComparison.Ordinal))
            {
                Refuse(host.IpcMode == "host", $"sysctl \"{dotted}\" is not allowed in the hosts ipc namespace");
            }
            else
            {
                throw WherryException.Invalid($"sysctl \"{dotted}\" is not in a separate kernel namespace");
            }
        }
    }

    private static void CheckDevices(HostConfig host)
    {
        foreach (var device in host.Devices ?? [])
        {
            Refuse(!device.PathOnHost.StartsWith('/'), $"{device.PathOnHost} is not an absolute path");
            Refuse(device.PathInContainer.Length > 0 && !device.PathInContainer.StartsWith('/'), $"{device.PathInContainer} is not an absolute path");
            Refuse(
                device.CgroupPermissions.Length > 3 || device.CgroupPermissions.Any(letter => letter is not ('r' or 'w' or 'm')),
                $"invalid device mode: {device.CgroupPermissions}");
        }

        foreach (var rule in host.DeviceCgroupRules ?? [])
        {
            DeviceRules.Parse(rule);
        }
    }

    private static void Refuse(bool isWrong, string message)
    {
        if (isWrong)
        {
            throw WherryException.Invalid(message);
        }
    }
}
