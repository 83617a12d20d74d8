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
    public static ContainerRules? Read(string bundleDirectory, string id)
    {
        var bundle = Bundle.Read(bundleDirectory);
        return SyscallFilter.Prepare(bundle.Linux.Seccomp, bundle.Options.SeccompCache) is { } filter ? new ContainerRules(bundle, id, filter) : null;
    }

    public void Dispose() => Filter.Dispose();

    internal ListenerOwner OwnerFor(int pid) => new(_bundle.Spec.OciVersion, _id, "running", pid, _bundle.Directory);
}
