using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Checks;
using Wherry.Runtime.Systemd;
using Wherry.Shim.Oci.CommandLine;

namespace Wherry.Shim.Oci.Containers;

/// <summary>Where a container's cgroup lies, and who makes it: we, or systemd where the caller wants that.</summary>
public sealed class Placement : IDisposable
{
    private readonly SystemdManager? _systemd;
    private readonly ScopeName? _scope;
    private readonly IReadOnlyList<UnitProperty> _properties = [];

    // A user's manager's own, below which the container's lies; null for root's, and where we make the cgroup.
    private readonly CgroupDirectories? _given;

    private Placement(string path)
    {
        Path = path;
        Cgroup = CgroupHost.Detect().Locate(path);
    }

    private Placement(SystemdManager systemd, ScopeName scope, IReadOnlyList<UnitProperty> properties)
    {
        var above = systemd.IsUsers ? systemd.ReadControlGroup() : "";
        var host = CgroupHost.Detect();
        _systemd = systemd;
        _scope = scope;
        _properties = properties;
        _given = systemd.IsUsers ? host.Locate(above, isUnit: true) : null;
        Path = above + scope.CgroupPath;
        Cgroup = host.Locate(Path, isUnit: true);
        if (systemd.IsUsers && Cgroup.IsNone)
        {
            throw WherryException.Unsupported($"systemd cgroup flag passed, but this user's service manager has been given no cgroup to make others in ({above} is not the user's); leave the flag out");
        }
    }

    public CgroupDirectories Cgroup { get; }

    /// <summary>The cgroup's, below the trees' roots.</summary>
    public string Path { get; }

    /// <summary>systemd's unit; empty for none.</summary>
    public string Unit => _scope?.Unit ?? "";

    /// <param name="global">Whether systemd is wanted.</param>
    /// <param name="bundle">The container's.</param>
    /// <param name="id">The container's.</param>
    /// <exception cref="WherryException">There is no systemd, or the path or an annotation is none that it takes.</exception>
    public static Placement Of(GlobalOptions global, Bundle bundle, string id)
    {
        var cgroupsPath = bundle.Linux.CgroupsPath;
        if (!global.SystemdCgroup)
        {
            // By the id alone, as callers of runc and crun look for it, and without a cgroup of ours above it: making and
            // removing one in each v1 tree would cost as much as the container's own.
            return new Placement(string.IsNullOrEmpty(cgroupsPath) ? $"{DefaultParent()}/{id}" : cgroupsPath);
        }

        // Before anything that has to be let go of.
        var scope = ScopeName.Parse(cgroupsPath, id, GlobalOptions.IsOrdinaryUser);
        var properties = UnitAnnotations.Of(bundle.Spec.Annotations);
        var systemd = ResponsibleManager.Connect();
        try
        {
            return new Placement(systemd, scope, properties);
        }
        catch
        {
            systemd.Dispose();
            throw;
        }
    }

    /// <summary>The cgroup of a container that there is.</summary>
    public static CgroupDirectories Locate(ContainerState state) => CgroupHost.Detect().Locate(state.CgroupsPath, isUnit: state.Unit.Length > 0);

    /// <summary>Refuses limits that an ordinary user can't have there.</summary>
    /// <exception cref="WherryException">It names them.</exception>
    public void RequireLimits(Resources? resources)
    {
        if (GlobalOptions.IsOrdinaryUser)
        {
            // A manager hands a controller down when a unit needs it, so what there is below it says nothing yet.
            UnlimitedCheck.Require(resources, _given ?? Cgroup, _given is null ? null : "Delegate= in a drop-in for user@.service gives the user's service manager more");
        }
    }

    /// <summary>Makes the cgroup.</summary>
    /// <returns>To be disposed when the container's first process has joined it, or it is undone.</returns>
    public IDisposable? Make(string id, Resources? resources)
    {
        var holder = StartScope(id, resources);
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

    // Ordinary users may make cgroups only below one they have been given.
    private static string DefaultParent() => GlobalOptions.IsOrdinaryUser ? CgroupHost.Detect().FindDelegated() ?? "" : "";

    // Null where we make the cgroup.
    private IdleProcess? StartScope(string id, Resources? resources)
    {
        if (_systemd is null || _scope is null)
        {
            return null;
        }

        if (_systemd.IsUsers && OwnScope.IsNeededFor(Path))
        {
            OwnScope.Enter(_systemd, OciCommandLine.ProgramName);
        }

        return ContainerScope.Start(_systemd, _scope, $"{OciCommandLine.ProgramName} container {id}", resources, _properties, Cgroup.IsUnified);
    }
}
