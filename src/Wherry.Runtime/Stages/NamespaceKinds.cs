using Wherry.Errors;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Stages;

/// <summary>Namespace types by runtime-spec's names.</summary>
public static class NamespaceKinds
{
    /// <exception cref="WherryException">Unknown.</exception>
    public static CloneFlags FlagOf(string type) => type switch
    {
        "pid" => CloneFlags.NewPid,
        "mount" => CloneFlags.NewMount,
        "network" => CloneFlags.NewNetwork,
        "ipc" => CloneFlags.NewIpc,
        "uts" => CloneFlags.NewUts,
        "cgroup" => CloneFlags.NewCgroup,
        "user" => CloneFlags.NewUser,
        "time" => CloneFlags.NewTime,
        _ => throw WherryException.Invalid($"linux.namespaces: unknown type \"{type}\""),
    };

    /// <summary>The name of the file in /proc/…/ns.</summary>
    public static string FileOf(string type) => type switch
    {
        "mount" => "mnt",
        "network" => "net",
        _ => type,
    };

    /// <summary>The kinds a container does not share with the host.</summary>
    public static CloneFlags All(IReadOnlyList<Namespace> namespaces) =>
        namespaces.Aggregate(CloneFlags.None, (flags, ns) => flags | FlagOf(ns.Type));

    /// <summary>The kinds that are made for the container, and end with it.</summary>
    public static CloneFlags Made(IReadOnlyList<Namespace> namespaces) =>
        namespaces.Aggregate(CloneFlags.None, (flags, ns) => string.IsNullOrEmpty(ns.Path) ? flags | FlagOf(ns.Type) : flags);

    /// <summary>The entry of that type; null when the host's is shared.</summary>
    public static Namespace? Find(IReadOnlyList<Namespace> namespaces, string type)
    {
        foreach (var ns in namespaces)
        {
            if (ns.Type == type)
            {
                return ns;
            }
        }

        return null;
    }
}
