using Wherry.Errors;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Stages;

/// <summary>Namespace types by runtime-spec's names.</summary>
public static class NamespaceKinds
{
    /// <exception cref="WherryException">Unknown, or not offered.</exception>
    public static CloneFlags FlagOf(string type) => type switch
    {
        "pid" => CloneFlags.NewPid,
        "mount" => CloneFlags.NewMount,
        "network" => CloneFlags.NewNetwork,
        "ipc" => CloneFlags.NewIpc,
        "uts" => CloneFlags.NewUts,
        "cgroup" => CloneFlags.NewCgroup,
        "user" or "time" => throw WherryException.Unsupported($"{type} namespaces are not supported yet"),
        _ => throw WherryException.Invalid($"unknown namespace type \"{type}\""),
    };

    /// <exception cref="WherryException">A namespace of this type can be made but not joined at a start.</exception>
    public static void RequireJoinable(string type)
    {
        if (type is "pid" or "mount" or "cgroup")
        {
            throw WherryException.Unsupported($"joining an existing {type} namespace is not supported yet");
        }
    }

    /// <summary>The kinds a container does not share with the host.</summary>
    public static CloneFlags All(IReadOnlyList<Namespace> namespaces) =>
        namespaces.Aggregate(CloneFlags.None, (flags, ns) => flags | FlagOf(ns.Type));
}
