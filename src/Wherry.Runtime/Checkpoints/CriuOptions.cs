namespace Wherry.Runtime.Checkpoints;

/// <summary>How CRIU treats cgroups (criu(8), --manage-cgroups). The numbers are those of its RPC.</summary>
public enum CriuCgroupMode
{
    Ignore = 0,
    Soft = 3,
    Full = 4,
    Strict = 5,
}

/// <summary>What CRIU is asked for: the fields of its <c>criu_opts</c> (criu's rpc.proto) that are used here.</summary>
public sealed record CriuOptions
{
    /// <summary>The images' directory: a descriptor of this process's, which CRIU opens by way of /proc.</summary>
    public int Images { get; init; }

    /// <summary>Where its log goes; likewise.</summary>
    public int Work { get; init; }

    /// <summary>The log's name there.</summary>
    public required string Log { get; init; }

    /// <summary>A file of CRIU's settings (<see cref="CriuSettings"/>).</summary>
    public string? Settings { get; init; }

    /// <summary>The root file system; for a restore a mount point.</summary>
    public required string Root { get; init; }

    /// <summary>The first process, for a dump.</summary>
    public int? Pid { get; init; }

    public bool LeaveRunning { get; init; }

    public bool TcpEstablished { get; init; }

    public bool ExternalUnixSockets { get; init; }

    public bool ShellJob { get; init; }

    public bool FileLocks { get; init; }

    public bool AutoDedup { get; init; }

    /// <summary>Kinds of namespaces that are made anew, empty (clone(2) flags).</summary>
    public uint EmptyNamespaces { get; init; }

    public CriuCgroupMode Cgroups { get; init; } = CriuCgroupMode.Soft;

    /// <summary>The cgroup, with a freezer, that holds all processes while they are dumped.</summary>
    public string? FreezeCgroup { get; init; }

    /// <summary>Earlier images, of which only what has changed since is dumped; relative to the images.</summary>
    public string? Parent { get; init; }

    /// <summary>Note from now on what changes in memory, for a later dump.</summary>
    public bool TracksMemory { get; init; }

    /// <summary>Where memory is sent instead of into images.</summary>
    public (string Address, int Port)? PageServer { get; init; }

    /// <summary>
    /// Memory moves when it is touched: a dump waits for who asks for it at <see cref="PageServer"/>'s port, a restore asks the
    /// <c>criu lazy-pages</c> that listens in <see cref="Work"/>.
    /// </summary>
    public bool LazyPages { get; init; }

    /// <summary>What belongs to somebody outside, as <c>kind[id]:name</c>.</summary>
    public IReadOnlyList<string> External { get; init; } = [];

    /// <summary>Mounts from outside: for a dump by mount point their names, for a restore by name their sources.</summary>
    public IReadOnlyList<(string Key, string Value)> ExternalMounts { get; init; } = [];

    /// <summary>For a restore: by name, descriptors of CRIU's process that take the place of what was outside.</summary>
    public IReadOnlyList<(string Key, int Number)> Inherited { get; init; } = [];

    /// <summary>For a restore: by controller, the cgroup in which the container's own is to be.</summary>
    public IReadOnlyList<(string Controller, string Path)> CgroupRoots { get; init; } = [];

    /// <summary>For a restore: an AppArmor profile or SELinux label instead of the one the processes had.</summary>
    public string? LsmProfile { get; init; }

    /// <summary>For a restore: the SELinux label of file systems that are mounted.</summary>
    public string? LsmMountContext { get; init; }

    private const int Debug = 4;

    internal void WriteTo(ProtobufWriter message)
    {
        message.Number(1, Images);
        Optional(message, 2, Pid);
        message.Flag(3, LeaveRunning);
        message.Flag(4, ExternalUnixSockets);
        message.Flag(5, TcpEstablished);
        message.Flag(6, true); // evasive_devices: a path that leads to the same device will do
        message.Flag(7, ShellJob);
        message.Flag(8, FileLocks);
        message.Number(9, Debug);
        message.Text(10, Log);
        if (PageServer is var (address, port))
        {
            message.Message(11, server =>
            {
                server.Text(1, address);
                server.Number(2, port);
            });
        }

        message.Flag(12, true); // notify_scripts
        message.Text(13, Root);
        Optional(message, 14, Parent);
        message.Flag(15, TracksMemory);
        message.Flag(16, AutoDedup);
        message.Number(17, Work);
        foreach (var (key, value) in ExternalMounts)
        {
            message.Message(23, mount =>
            {
                mount.Text(1, key);
                mount.Text(2, value);
            });
        }

        foreach (var (controller, path) in CgroupRoots)
        {
            message.Message(25, root =>
            {
                root.Text(1, controller);
                root.Text(2, path);
            });
        }

        message.Flag(26, Pid is null); // rst_sibling: what is restored is our child
        foreach (var (key, number) in Inherited)
        {
            message.Message(27, inherited =>
            {
                inherited.Text(1, key);
                inherited.Number(2, number);
            });
        }

        message.Flag(24, true); // manage_cgroups
        message.Number(34, (long)Cgroups);
        foreach (var external in External)
        {
            message.Text(37, external);
        }

        message.Number(38, EmptyNamespaces);
        Optional(message, 44, FreezeCgroup);
        message.Flag(48, LazyPages);
        message.Flag(50, true); // orphan_pts_master
        Optional(message, 51, Settings);
        Optional(message, 53, LsmProfile);
        Optional(message, 63, LsmMountContext);

        if (Pid is null)
        {
            // The other way of mounting (CRIU 3.17 and later) asks that external mounts share a root.
            message.Flag(65, true);
        }
    }

    private static void Optional(ProtobufWriter message, int field, int? value)
    {
        if (value is { } number)
        {
            message.Number(field, number);
        }
    }

    private static void Optional(ProtobufWriter message, int field, string? value)
    {
        if (value is not null)
        {
            message.Text(field, value);
        }
    }
}
