using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Systemd;
using Wherry.Shim.Oci.CommandLine;

namespace Wherry.Shim.Oci.Containers;

/// <summary>Where a container's cgroup lies, and who makes it: we, or systemd where the caller wants that.</summary>
public sealed class Placement : IDisposable
{
    private readonly SystemdManager? _systemd;
    private readonly ScopeName? _scope;

    private Placement(string path, SystemdManager? systemd, ScopeName? scope)
    {
        Path = path;
        _systemd = systemd;
        _scope = scope;
        Cgroup = CgroupHost.Detect().Locate(path, isUnit: scope is not null);
    }

    public CgroupDirectories Cgroup { get; }

    /// <summary>The cgroup's, below the trees' roots.</summary>
    public string Path { get; }

    /// <summary>systemd's unit; empty for none.</summary>
    public string Unit => _scope?.Unit ?? "";

    /// <param name="global">Whether systemd is wanted.</param>
    /// <param name="cgroupsPath">The configuration's, if any.</param>
    /// <param name="id">The container's.</param>
    /// <exception cref="WherryException">There is no systemd, or the path is none that it takes.</exception>
    public static Placement Of(GlobalOptions global, string? cgroupsPath, string id)
    {
        if (!global.SystemdCgroup)
        {
            // By the id alone, as callers of runc and crun look for it, and without a cgroup of ours above it: making and
            // removing one in each v1 tree would cost as much as the container's own.
            return new Placement(string.IsNullOrEmpty(cgroupsPath) ? $"{DefaultParent()}/{id}" : cgroupsPath, null, null);
        }

        var scope = ScopeName.Parse(cgroupsPath, id);
        return new Placement(scope.CgroupPath, SystemdManager.Connect(), scope);
    }

    // Ordinary users may make cgroups only below one they have been given.
    private static string DefaultParent() => GlobalOptions.IsOrdinaryUser ? CgroupHost.Detect().FindDelegated() ?? "" : "";

    /// <summary>The cgroup of a container that there is.</summary>
    public static CgroupDirectories Locate(ContainerState state) => CgroupHost.Detect().Locate(state.CgroupsPath, isUnit: state.Unit.Length > 0);

    /// <summary>Makes the cgroup.</summary>
    /// <returns>To be disposed when the container's first process has joined it, or it is undone.</returns>
    public IDisposable? Make(string id, Resources? resources)
    {
        var holder = _scope is null ? null : ContainerScope.Start(_systemd!, _scope, $"{OciCommandLine.ProgramName} container {id}", resources, Cgroup.IsUnified);
        try
        {
            Cgroup.Create();
            return holder;
        }
        catch
        {
            holder?.Dispose();
            throw;
        }
    }

    public void Dispose() => _systemd?.Dispose();
}
