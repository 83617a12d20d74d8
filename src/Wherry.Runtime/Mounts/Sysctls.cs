using System.Text;
using Wherry.Errors;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Mounts;

/// <summary>Kernel parameters that belong to a namespace (namespaced entries of sysctl(8)).</summary>
public static class Sysctls
{
    private const long ProcMagic = 0x9fa0;

    private static readonly string[] Ipc =
    [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
    ];

    /// <summary>Sets them, through the host's /proc, which shows a process the parameters of its own namespaces.</summary>
    /// <exception cref="WherryException">A parameter does not exist.</exception>
    public static void Set(IReadOnlyDictionary<string, string>? sysctls)
    {
        if (sysctls is null || sysctls.Count == 0)
        {
            return;
        }

        using var proc = FileSyscalls.Open("/proc/sys", OpenFlags.PathOnly | OpenFlags.Directory);
        if (FileSyscalls.FileSystemType(proc) != ProcMagic)
        {
            throw WherryException.System("linux.sysctl: the host's /proc/sys is not the kernel's");
        }

        foreach (var (name, value) in sysctls)
        {
            // A slash form keeps dots that belong to a name, as in net/ipv4/conf/eth0.100.
            var path = name.Contains('/') ? name : name.Replace('.', '/');
            using var file = FileSyscalls.OpenAt(proc, path, OpenFlags.WriteOnly, ResolveFlags.Beneath | ResolveFlags.NoSymlinks | ResolveFlags.NoCrossMount);
            Syscall.Check(FileSyscalls.Write(file.Number, Encoding.UTF8.GetBytes(value)), $"set the kernel parameter {name} to {value}");
        }
    }

    /// <exception cref="WherryException">A parameter is the host's, not the container's.</exception>
    public static void Require(IReadOnlyDictionary<string, string>? sysctls, IReadOnlyList<Namespace> namespaces)
    {
        foreach (var name in sysctls?.Keys ?? [])
        {
            RequireOwn(name, namespaces);
        }
    }

    private static void RequireOwn(string name, IReadOnlyList<Namespace> namespaces)
    {
        var dotted = name.Contains('/') ? name.Replace('/', '.') : name;
        var needed = dotted switch
        {
            _ when dotted.StartsWith("net.", StringComparison.Ordinal) => "network",
            _ when dotted.StartsWith("fs.mqueue.", StringComparison.Ordinal) || Array.IndexOf(Ipc, dotted) >= 0 => "ipc",
            "kernel.hostname" => throw WherryException.Invalid($"linux.sysctl: \"{name}\" is not allowed: the configuration's hostname says it"),
            "kernel.domainname" => "uts",
            _ => throw WherryException.Invalid($"linux.sysctl: \"{name}\" is not in a separate kernel namespace; it would change the host"),
        };
        if (!namespaces.Any(ns => ns.Type == needed))
        {
            throw WherryException.Invalid($"linux.sysctl: \"{name}\" is not allowed: the container shares the host's {needed} namespace");
        }
    }
}
