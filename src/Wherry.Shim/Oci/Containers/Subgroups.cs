using Wherry.Errors;
using Wherry.Linux.Cgroups;

namespace Wherry.Shim.Oci.Containers;

/// <summary>The cgroups below a container's that <c>exec --cgroup</c> names: one for all trees, or one for each of some.</summary>
public static class Subgroups
{
    /// <param name="cgroup">The container's.</param>
    /// <param name="options"><c>PATH</c>, or any number of <c>CONTROLLER[,CONTROLLER...]:PATH</c>.</param>
    /// <exception cref="WherryException">One is none of the container's.</exception>
    public static CgroupDirectories Find(CgroupDirectories cgroup, IReadOnlyList<string> options)
    {
        var found = cgroup;
        foreach (var option in options)
        {
            var colon = option.IndexOf(':');
            if (colon < 0 && options.Count > 1)
            {
                throw WherryException.Invalid($"--cgroup {option}: of several, each needs its controllers, as in cpu,cpuacct:{option}");
            }

            var name = option[(colon + 1)..];
            RequireBelow(option, name);
            found = colon < 0 ? cgroup.Below(name) : Below(found, option, option[..colon].Split(','), name);
        }

        if (found.All.FirstOrDefault(directory => !Directory.Exists(directory)) is { } missing)
        {
            throw WherryException.NotFound($"adding pid of the program to cgroups: {missing}/cgroup.procs: no such file or directory");
        }

        return found;
    }

    private static CgroupDirectories Below(CgroupDirectories cgroup, string option, string[] controllers, string name)
    {
        if (cgroup.IsUnified)
        {
            throw WherryException.Invalid($"--cgroup {option}: on cgroup v2 all controllers share one tree, and a path alone names a cgroup");
        }

        foreach (var controller in controllers)
        {
            cgroup = cgroup.V1(controller) is not null
                ? cgroup.Below(name, controller)
                : throw WherryException.Invalid($"--cgroup {option}: unknown controller {controller}");
        }

        return cgroup;
    }

    private static void RequireBelow(string option, string name)
    {
        if (name.Split('/').Any(part => part is "." or ".."))
        {
            throw WherryException.Invalid($"--cgroup {option}: {name} is not a sub cgroup path");
        }
    }
}
