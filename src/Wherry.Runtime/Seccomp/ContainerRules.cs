using Wherry.Oci.Runtime;
using Wherry.Runtime.Bundles;

namespace Wherry.Runtime.Seccomp;

/// <summary>A running container's system call rules, for further programs in it.</summary>
public sealed class ContainerRules : IDisposable
{
    private readonly Bundle _bundle;
    private readonly string _id;

    private ContainerRules(Bundle bundle, string id, SyscallFilter filter)
    {
        (_bundle, _id, Filter) = (bundle, id, filter);
        Config = bundle.Linux.Seccomp!;
    }

    public SeccompConfig Config { get; }

    public SyscallFilter Filter { get; }

    /// <summary>Reads them from the container's bundle; null when it has none.</summary>
    /// <param name="bundleDirectory">The bundle.</param>
    /// <param name="id">The container's.</param>
    /// <param name="filterFile">Where the filter was put when the container was made; null where the bundle says.</param>
    public static ContainerRules? Read(string bundleDirectory, string id, string? filterFile = null)
    {
        var bundle = Bundle.Read(bundleDirectory);
        return SyscallFilter.Prepare(bundle.Linux.Seccomp, filterFile ?? bundle.Options.SeccompCache) is { } filter ? new ContainerRules(bundle, id, filter) : null;
    }

    public void Dispose() => Filter.Dispose();

    internal ListenerOwner OwnerFor(int pid) => new(_bundle.Spec.OciVersion, _id, "running", pid, _bundle.Directory);
}
