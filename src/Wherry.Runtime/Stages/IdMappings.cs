using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Stages;

/// <summary>A container's user namespace: made with its mappings, or joined.</summary>
public static class IdMappings
{
    /// <summary>Makes or opens the bundle's user namespace; null when it has none.</summary>
    /// <exception cref="WherryException">The kernel has none, or refuses the mappings.</exception>
    public static FileDescriptor? OpenUserNamespace(LinuxConfig linux)
    {
        if (NamespaceKinds.Find(linux.Namespaces, "user") is not { } user)
        {
            return null;
        }

        return string.IsNullOrEmpty(user.Path)
            ? UserNamespace.Make(Ranges(linux.UidMappings), Ranges(linux.GidMappings))
            : FileSyscalls.Open(user.Path, OpenFlags.ReadOnly);
    }

    public static IReadOnlyList<IdRange> Ranges(IReadOnlyList<IdMapping> mappings)
    {
        var ranges = new IdRange[mappings.Count];
        for (var i = 0; i < ranges.Length; i++)
        {
            ranges[i] = new IdRange(mappings[i].ContainerID, mappings[i].HostID, mappings[i].Size);
        }

        return ranges;
    }

    /// <summary>The id on the host that stands for one inside; null when none does.</summary>
    public static uint? HostId(IReadOnlyList<IdMapping> mappings, uint inside)
    {
        foreach (var mapping in mappings)
        {
            if (inside >= mapping.ContainerID && inside - mapping.ContainerID < mapping.Size)
            {
                return mapping.HostID + (inside - mapping.ContainerID);
            }
        }

        return null;
    }
}
