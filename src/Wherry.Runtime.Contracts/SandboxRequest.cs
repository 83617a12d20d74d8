using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Contracts;

/// <summary>Where a sandbox's parts are: enough to find it again after the engine restarts.</summary>
/// <param name="Id">The container's full id.</param>
/// <param name="BundleDirectory">Survives reboot; holds <c>config.json</c> (runtime-spec) and <c>sandbox.json</c>.</param>
/// <param name="StateDirectory">Under /run: supervisor's socket, pid file, exit record. Made by the isolation, 0711.</param>
/// <param name="CgroupsPath">As in the bundle's <c>linux.cgroupsPath</c>.</param>
public sealed record SandboxLocation(string Id, string BundleDirectory, string StateDirectory, string CgroupsPath);

/// <summary>All that is needed to make a sandbox. The isolation writes both files of the bundle directory.</summary>
public sealed record SandboxRequest
{
    public required SandboxLocation Location { get; init; }

    /// <summary>The bundle's configuration. <c>root.path</c> is a directory the root file system is mounted on, in the sandbox's own mount namespace.</summary>
    public required Spec Spec { get; init; }

    public required SandboxOptions Options { get; init; }
}

/// <summary>What a supervisor needs beyond runtime-spec; written to <c>sandbox.json</c>.</summary>
public sealed record SandboxOptions
{
    /// <summary>Mounts that make up the root file system, in order, made on <c>root.path</c> before anything else.</summary>
    public IReadOnlyList<RootfsMount> Rootfs { get; init; } = [];

    /// <summary>Docker's <c>user[:group]</c>, looked up in the container's own /etc/passwd and /etc/group; also gives HOME.</summary>
    public string? User { get; init; }

    /// <summary>Groups added by name or number (<c>--group-add</c>), looked up likewise.</summary>
    public IReadOnlyList<string> AdditionalGroups { get; init; } = [];

    /// <summary>Run the program under a reaping, signal-forwarding first process (<c>--init</c>).</summary>
    public bool Init { get; init; }

    /// <summary>Keep standard input open for attaching clients.</summary>
    public bool OpenStdin { get; init; }

    /// <summary>Close standard input when the first client that attached to it goes.</summary>
    public bool StdinOnce { get; init; }

    /// <summary>Where output is written; null writes no log.</summary>
    public LogFile? Log { get; init; }

    /// <summary>Named volumes to fill from the image's directory at the mount point when they are empty.</summary>
    public IReadOnlyList<VolumeCopyUp> CopyUps { get; init; } = [];

    /// <summary>The mount namespace, as <c>/proc/PID/ns/mnt</c>, whose /dev/shm the bind on /dev/shm shows; null binds the host's.</summary>
    public string? SharedMemoryOf { get; init; }

    /// <summary>Where the compiled form of the bundle's seccomp rules is kept, in a file named after them; null compiles them each time.</summary>
    public string? SeccompCache { get; init; }

    /// <summary>Set-user-ID and file capabilities on the root file system have no effect.</summary>
    public bool NoSuidRoot { get; init; }

    /// <summary>Settings clipped to what the host allows are reported back as warnings rather than failed, unless named here (e.g. <c>CAP_SYS_RESOURCE</c>, <c>RLIMIT_NOFILE</c>, <c>oomScoreAdj</c>).</summary>
    public IReadOnlyList<string> AskedByName { get; init; } = [];
}

/// <summary>An overlay, the kernel's or a program's, or a plain bind that makes up a root file system.</summary>
public sealed record RootfsMount
{
    /// <summary><c>overlay</c>, <c>fuse-overlayfs</c> or <c>bind</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Overlay: read-only layers, topmost first. Bind: the one directory.</summary>
    public required IReadOnlyList<string> LowerDirectories { get; init; }

    public string? UpperDirectory { get; init; }

    public string? WorkDirectory { get; init; }

    /// <summary>
    /// The owners of all files, of an overlay's upper layer too, are shown through the mappings of the container's user
    /// namespace, so they are on disk as if it had none. An overlay needs Linux 5.19 for it, and upper and work directory
    /// side by side.
    /// </summary>
    public bool IdMapped { get; init; }

    /// <summary>The program that serves a <c>fuse-overlayfs</c>; a path on the host.</summary>
    public string? Program { get; init; }

    /// <summary>Further options of the file system, e.g. <c>metacopy=off</c>.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];
}

/// <summary>Docker's json-file log.</summary>
/// <param name="Path">The current file; rotated ones get <c>.1</c>, <c>.2</c> …, newest first.</param>
/// <param name="MaxSizeBytes">Rotate when the file would grow past this; 0 never.</param>
/// <param name="MaxFiles">How many files are kept, the current one included.</param>
public sealed record LogFile(string Path, long MaxSizeBytes, int MaxFiles);

/// <param name="VolumeDirectory">The volume's directory on the host.</param>
/// <param name="ContainerPath">The mount point, whose contents in the image are copied with ownership, modes, times and attributes.</param>
public sealed record VolumeCopyUp(string VolumeDirectory, string ContainerPath);
