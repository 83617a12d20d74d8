using System.Text;
using Wherry.Errors;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Mounts;

/// <summary>Kernel parameters that belong to a namespace (namespaced entries of sysctl(8)).</summary>
public static class Sysctls
{
    private static readonly string[] Ipc =
    [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
    ];

    /// <summary>Sets them, through the host's /proc, which shows a process the parameters of its own namespaces.</summary>
    /// <exception cref="WherryException">A parameter is the host's, not the container's, or does not exist.</exception>
    public static void Set(IReadOnlyDictionary<string, string>? sysctls, IReadOnlyList<Namespace> namespaces)
    {
        if (sysctls is null || sysctls.Count == 0)
        {
            return;
        }

        using var proc = FileSyscalls.Open("/proc/sys", OpenFlags.PathOnly | OpenFlags.Directory);
        foreach (var (name, value) in sysctls)
        {
            RequireOwn(name, namespaces);

            // A slash form keeps dots that belong to a name, as in net/ipv4/conf/eth0.100.
            var path = name.Contains('/') ? name : name.Replace('.', '/');
            using var file = FileSyscalls.OpenAt(proc, path, OpenFlags.WriteOnly, ResolveFlags.Beneath | ResolveFlags.NoSymlinks);
            Syscall.Check(FileSyscalls.Write(file.Number, Encoding.UTF8.GetBytes(value)), $"set the kernel parameter {name} to {value}");
        }
    }

    private static void RequireOwn(string name, IReadOnlyList<Namespace> namespaces)
    {
        var dotted = name.Contains('/') ? name.Replace('/', '.') : name;
        var needed = dotted switch
        {
            _ when dotted.StartsWith("net.", StringComparison.Ordinal) => "network",
            _ when dotted.StartsWith("fs.mqueue.", StringComparison.Ordinal) || Array.IndexOf(Ipc, dotted) >= 0 => "ipc",
            "kernel.hostname" or "kernel.domainname" => "uts",
            _ => throw WherryException.Invalid($"sysctl \"{name}\" is not in a separate kernel namespace; it would change the host"),
        };
        if (!namespaces.Any(ns => ns.Type == needed))
        {
            throw WherryException.Invalid($"sysctl \"{name}\" is not allowed: the container shares the host's {needed} namespace");
        }
    }
}
