using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Validation;
using Wherry.Oci.Runtime;

namespace Wherry.Engine.Specs;

/// <summary>Which capabilities a container gets: Docker's default set, changed by <c>--cap-add</c> and <c>--cap-drop</c>.</summary>
public static class DefaultCapabilities
{
    internal const string AllName = "ALL";

    private static readonly string[] Names =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
    ];

    /// <summary>All the host can give: a privileged container's, or a privileged exec's.</summary>
    public static Capabilities All(HostFacts host) => Sets(host.Capabilities);

    /// <summary>
    /// The container's sets. ALL means all the host can give; a default capability the host withholds is left
    /// out, as is one added by name, which the validator has refused already.
    /// </summary>
    public static Capabilities For(HostConfig asked, HostFacts host) => asked.Privileged
        ? All(host)
        : Sets(Compose(asked.CapAdd ?? [], asked.CapDrop ?? [], host).Intersect(host.Capabilities));

    private static IEnumerable<string> Compose(IReadOnlyList<string> add, IReadOnlyList<string> drop, HostFacts host)
    {
        var added = add.Select(CapabilityNames.Normalize).ToHashSet(StringComparer.Ordinal);
        var dropped = drop.Select(CapabilityNames.Normalize).ToHashSet(StringComparer.Ordinal);
        if (added.Contains(AllName))
        {
            return host.Capabilities.Except(dropped);
        }

        return dropped.Contains(AllName) ? added : Names.Except(dropped).Union(added);
    }

    private static Capabilities Sets(IEnumerable<string> names)
    {
        var chosen = names.ToHashSet(StringComparer.Ordinal);
        IReadOnlyList<string> ordered = [.. CapabilityNames.All.Where(chosen.Contains)];

        // Inheritable stays empty: a set inherited by every program would hand capabilities to any that lets
        // itself be executed by an unprivileged user (CVE-2022-24769).
        return new Capabilities { Bounding = ordered, Effective = ordered, Permitted = ordered };
    }
}
