using Wherry.Linux.Cgroups;

namespace Wherry.Shim.Oci.Containers;

/// <summary>The cgroup in which those of containers lie whose configuration names none.</summary>
public static class CgroupParent
{
    private const string Name = "/wherry-oci";

    public static string PathFor(string id) => $"{Name}/{id}";

    /// <summary>Removes it unless another container is in it.</summary>
    public static void TryRemove() => CgroupHost.Detect().Locate(Name).TryRemoveEmpty();
}
