using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Validation;
using Wherry.Engine.Volumes;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;

namespace Wherry.Engine.Specs;

/// <summary>All that decides a container's runtime specification.</summary>
public sealed record SpecInputs
{
    public required string Id { get; init; }

    /// <summary>With the image's defaults and the host name filled in.</summary>
    public required ContainerConfig Config { get; init; }

    public required HostConfig Host { get; init; }

    /// <summary>The directory the root file system is mounted on, in the container's own mount namespace.</summary>
    public required string RootPath { get; init; }

    /// <summary>Where the files for <c>/etc/hosts</c>, <c>/etc/hostname</c> and <c>/etc/resolv.conf</c> lie.</summary>
    public required string ContainerDirectory { get; init; }

    /// <summary>Absolute, from the root of each hierarchy.</summary>
    public required string CgroupsPath { get; init; }

    public required HostFacts HostFacts { get; init; }

    /// <summary>Complete: volumes have their directories.</summary>
    public required IReadOnlyList<ResolvedMount> Mounts { get; init; }

    /// <summary>Nodes of the host's devices the container gets, see <see cref="HostDevices.Resolve"/>.</summary>
    public IReadOnlyList<GrantedDevice> Devices { get; init; } = [];

    /// <summary>Of the host's block devices, see <see cref="BlockIoPlan.Resolve"/>; null limits nothing.</summary>
    public BlockIoLimits? BlockIo { get; init; }

    /// <summary>The system call rules; null for none.</summary>
    public SeccompConfig? Seccomp { get; init; }

    /// <summary>The maps of its user namespace; null in the host's.</summary>
    public IdMap? Ids { get; init; }

    /// <summary>A user namespace to join, of the same maps; null for one of its own.</summary>
    public string? UserNamespacePath { get; init; }

    /// <summary>A network namespace to join; null for one of its own, unless the host's is asked for.</summary>
    public string? NetworkNamespacePath { get; init; }

    public string? PidNamespacePath { get; init; }

    public string? IpcNamespacePath { get; init; }
}

/// <param name="Node">The node to make.</param>
/// <param name="Access">Out of <c>rwm</c>; what the container may do with it.</param>
public sealed record GrantedDevice(Device Node, string Access);
