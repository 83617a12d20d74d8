using System.Globalization;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;

namespace Wherry.Engine.Specs;

/// <summary>Which namespaces are new, joined, or the host's, and the kernel parameters that live in them.</summary>
internal static class NamespacePlan
{
    public static IReadOnlyList<Namespace> Make(SpecInputs inputs)
    {
        var host = inputs.Host;
        var namespaces = new List<Namespace> { new("mount") };
        if (host.NetworkMode != "host")
        {
            namespaces.Add(new Namespace("network", inputs.NetworkNamespacePath));
        }

        if (host.UTSMode != "host")
        {
            namespaces.Add(new Namespace("uts"));
        }

        if (host.PidMode != "host")
        {
            namespaces.Add(new Namespace("pid", inputs.PidNamespacePath));
        }

        if (host.IpcMode != "host")
        {
            namespaces.Add(new Namespace("ipc", inputs.IpcNamespacePath));
        }

        if (inputs.Ids is not null)
        {
            namespaces.Add(new Namespace("user", inputs.UserNamespacePath));
        }

        if (IsCgroupPrivate(inputs))
        {
            namespaces.Add(new Namespace("cgroup"));
        }

        return namespaces;
    }

    /// <summary>As asked; with its own network a container's programs may use low ports and ping without rights, as Docker's may.</summary>
    public static IReadOnlyDictionary<string, string> Sysctls(SpecInputs inputs)
    {
        var sysctls = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (inputs.Host.NetworkMode != "host" && inputs.NetworkNamespacePath is null)
        {
            sysctls["net.ipv4.ip_unprivileged_port_start"] = "0";
            sysctls["net.ipv4.ping_group_range"] = "0 " + Math.Min(inputs.HostFacts.LastGroup, LastGroup(inputs.Ids)).ToString(CultureInfo.InvariantCulture);
        }

        foreach (var (name, value) in inputs.Host.Sysctls ?? [])
        {
            sysctls[name] = value;
        }

        return sysctls;
    }

    // The kernel takes no group that is nobody's in the network's user namespace.
    private static uint LastGroup(IdMap? ids) => ids is null ? int.MaxValue : ids.Groups.Max(range => range.Inside + (range.Count - 1));

    /// <summary>The default follows Docker: private on v2, the host's on v1, where programs look for controllers by their paths.</summary>
    private static bool IsCgroupPrivate(SpecInputs inputs) => inputs.Host.CgroupnsMode switch
    {
        "private" => true,
        "host" => false,
        _ => inputs.HostFacts.IsCgroupUnified,
    };
}
