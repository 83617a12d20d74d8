using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Containers;

/// <summary>
/// The options that <c>create</c> and <c>run</c> share: what a container shall be. Options that the engine can't
/// serve are passed on all the same, so that it names what it lacks instead of nobody saying anything.
/// </summary>
internal abstract class ContainerOptions : CliCommand
{
    protected ContainerOptions()
        : base("[OPTIONS] IMAGE [COMMAND] [ARG...]", 1)
    {
        AddHost = List("add-host", null, "Add a custom host-to-IP mapping (host:ip)");
        Annotation = List("annotation", null, "Add an annotation to the container (passed through to the OCI runtime)", "map");
        Attach = List("attach", 'a', "Attach to STDIN, STDOUT or STDERR");
        BlkioWeight = Value("blkio-weight", null, "uint16", "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)");
        BlkioWeightDevice = List("blkio-weight-device", null, "Block IO weight (relative device weight)");
        CapAdd = List("cap-add", null, "Add Linux capabilities");
        CapDrop = List("cap-drop", null, "Drop Linux capabilities");
        CgroupParent = Value("cgroup-parent", null, "string", "Optional parent cgroup for the container");
        Cgroupns = Value("cgroupns", null, "string", "Cgroup namespace to use (host|private)");
        CidFile = Value("cidfile", null, "string", "Write the container ID to the file");
        CpuPeriod = Value("cpu-period", null, "int", "Limit CPU CFS (Completely Fair Scheduler) period");
        CpuQuota = Value("cpu-quota", null, "int", "Limit CPU CFS (Completely Fair Scheduler) quota");
        CpuRealtimePeriod = Value("cpu-rt-period", null, "int", "Limit CPU real-time period in microseconds");
        CpuRealtimeRuntime = Value("cpu-rt-runtime", null, "int", "Limit CPU real-time runtime in microseconds");
        CpuShares = Value("cpu-shares", 'c', "int", "CPU shares (relative weight)");
        Cpus = Value("cpus", null, "decimal", "Number of CPUs");
        CpusetCpus = Value("cpuset-cpus", null, "string", "CPUs in which to allow execution (0-3, 0,1)");
        CpusetMems = Value("cpuset-mems", null, "string", "MEMs in which to allow execution (0-3, 0,1)");
        Device = List("device", null, "Add a host device to the container");
        DeviceCgroupRule = List("device-cgroup-rule", null, "Add a rule to the cgroup allowed devices list");
        DeviceReadBps = List("device-read-bps", null, "Limit read rate (bytes per second) from a device");
        DeviceReadIops = List("device-read-iops", null, "Limit read rate (IO per second) from a device");
        DeviceWriteBps = List("device-write-bps", null, "Limit write rate (bytes per second) to a device");
        DeviceWriteIops = List("device-write-iops", null, "Limit write rate (IO per second) to a device");
        Dns = List("dns", null, "Set custom DNS servers");
        DnsOption = List("dns-option", null, "Set DNS options");
        DnsOption.AlsoSpelled = "--dns-opt";
        DnsSearch = List("dns-search", null, "Set custom DNS search domains");
        Domainname = Value("domainname", null, "string", "Container NIS domain name");
        Entrypoint = Value("entrypoint", null, "string", "Overwrite the default ENTRYPOINT of the image");
        Env = List("env", 'e', "Set environment variables");
        EnvFile = List("env-file", null, "Read in a file of environment variables");
        Expose = List("expose", null, "Expose a port or a range of ports");
        Gpus = Value("gpus", null, "gpu-request", "GPU devices to add to the container ('all' to pass all GPUs)");
        GroupAdd = List("group-add", null, "Add additional groups to join");
        HealthCmd = Value("health-cmd", null, "string", "Command to run to check health");
        HealthInterval = Value("health-interval", null, "duration", "Time between running the check (ms|s|m|h) (default 0s)");
        HealthRetries = Value("health-retries", null, "int", "Consecutive failures needed to report unhealthy");
        HealthStartInterval = Value("health-start-interval", null, "duration", "Time between running the check during the start period (ms|s|m|h) (default 0s)");
        HealthStartPeriod = Value("health-start-period", null, "duration", "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)");
        HealthTimeout = Value("health-timeout", null, "duration", "Maximum time to allow one check to run (ms|s|m|h) (default 0s)");
        Hostname = Value("hostname", 'h', "string", "Container host name");
        Init = Flag("init", null, "Run an init inside the container that forwards signals and reaps processes");
        Interactive = Flag("interactive", 'i', "Keep STDIN open even if not attached");
        Ip = Value("ip", null, "string", "IPv4 address (e.g., 172.30.100.104)");
        Ip6 = Value("ip6", null, "string", "IPv6 address (e.g., 2001:db8::33)");
        Ipc = Value("ipc", null, "string", "IPC mode to use (none|private|shareable|host|container:NAME)");
        Isolation = Value("isolation", null, "string", "Container isolation technology");
        KernelMemory = Hidden(Value("kernel-memory", null, "bytes", "Kernel memory limit (ignored, as Docker does)"));
        Label = List("label", 'l', "Set meta data on a container");
        LabelFile = List("label-file", null, "Read in a line delimited file of labels");
        Link = List("link", null, "Add link to another container");
        LinkLocalIp = List("link-local-ip", null, "Container IPv4/IPv6 link-local addresses");
        LogDriver = Value("log-driver", null, "string", "Logging driver for the container");
        LogOpt = List("log-opt", null, "Log driver options");
        MacAddress = Value("mac-address", null, "string", "Container MAC address (e.g., 92:d0:c6:0a:29:33)");
        Memory = Value("memory", 'm', "bytes", "Memory limit");
        MemoryReservation = Value("memory-reservation", null, "bytes", "Memory soft limit");
        MemorySwap = Value("memory-swap", null, "bytes", "Swap limit equal to memory plus swap: '-1' to enable unlimited swap");
        MemorySwappiness = Value("memory-swappiness", null, "int", "Tune container memory swappiness (0 to 100) (default -1)");
        Mount = List("mount", null, "Attach a filesystem mount to the container", "mount");
        Name = Value("name", null, "string", "Assign a name to the container");
        Network = List("network", null, "Connect a container to a network", "network");
        Network.AlsoSpelled = "--net";
        NetworkAlias = List("network-alias", null, "Add network-scoped alias for the container");
        NetworkAlias.AlsoSpelled = "--net-alias";
        NoHealthcheck = Flag("no-healthcheck", null, "Disable any container-specified HEALTHCHECK");
        OomKillDisable = Flag("oom-kill-disable", null, "Disable OOM Killer");
        OomScoreAdj = Value("oom-score-adj", null, "int", "Tune host's OOM preferences (-1000 to 1000)");
        Pid = Value("pid", null, "string", "PID namespace to use (host|container:NAME)");
        PidsLimit = Value("pids-limit", null, "int", "Tune container pids limit (set -1 for unlimited)");
        Platform = Value("platform", null, "string", "Set platform if server is multi-platform capable");
        Privileged = Flag("privileged", null, "Give extended privileges to this container");
        Publish = List("publish", 'p', "Publish a container's port(s) to the host");
        PublishAll = Flag("publish-all", 'P', "Publish all exposed ports to random ports");
        Pull = Value("pull", null, "string", "Pull image before creating (\"always\", \"missing\", \"never\") (default \"missing\")");
        Quiet = Flag("quiet", 'q', "Suppress the pull output");
        ReadOnly = Flag("read-only", null, "Mount the container's root filesystem as read only");
        Restart = Value("restart", null, "string", "Restart policy to apply when a container exits (default \"no\")");
        Remove = Flag("rm", null, "Automatically remove the container and its associated anonymous volumes when it exits");
        RuntimeName = Value("runtime", null, "string", "Runtime to use for this container");
        SecurityOpt = List("security-opt", null, "Security Options");
        ShmSize = Value("shm-size", null, "bytes", "Size of /dev/shm");
        StopSignal = Value("stop-signal", null, "string", "Signal to stop the container");
        StopTimeout = Value("stop-timeout", null, "int", "Timeout (in seconds) to stop a container");
        StorageOpt = List("storage-opt", null, "Storage driver options for the container");
        Sysctl = List("sysctl", null, "Sysctl options", "map");
        Tmpfs = List("tmpfs", null, "Mount a tmpfs directory");
        Tty = Flag("tty", 't', "Allocate a pseudo-TTY");
        Ulimit = List("ulimit", null, "Ulimit options", "ulimit");
        User = Value("user", 'u', "string", "Username or UID (format: <name|uid>[:<group|gid>])");
        Userns = Value("userns", null, "string", "User namespace to use (host|auto[:size=N]|keep-id[:uid=U,gid=G]|FIRST:COUNT|container:NAME)");
        Uts = Value("uts", null, "string", "UTS namespace to use (host)");
        Volume = List("volume", 'v', "Bind mount a volume");
        VolumeDriver = Value("volume-driver", null, "string", "Optional volume driver for the container");
        VolumesFrom = List("volumes-from", null, "Mount volumes from the specified container(s)");
        Workdir = Value("workdir", 'w', "string", "Working directory inside the container");
        Hidden(Flag("disable-content-trust", null, "Accepted and ignored"));
    }

    internal override bool OptionsEndAtFirstArgument => true;

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Images;

    internal ValueOption AddHost { get; }

    internal ValueOption Annotation { get; }

    internal ValueOption Attach { get; }

    internal ValueOption BlkioWeight { get; }

    internal ValueOption BlkioWeightDevice { get; }

    internal ValueOption CapAdd { get; }

    internal ValueOption CapDrop { get; }

    internal ValueOption CgroupParent { get; }

    internal ValueOption Cgroupns { get; }

    internal ValueOption CidFile { get; }

    internal ValueOption CpuPeriod { get; }

    internal ValueOption CpuQuota { get; }

    internal ValueOption CpuRealtimePeriod { get; }

    internal ValueOption CpuRealtimeRuntime { get; }

    internal ValueOption CpuShares { get; }

    internal ValueOption Cpus { get; }

    internal ValueOption CpusetCpus { get; }

    internal ValueOption CpusetMems { get; }

    internal ValueOption Device { get; }

    internal ValueOption DeviceCgroupRule { get; }

    internal ValueOption DeviceReadBps { get; }

    internal ValueOption DeviceReadIops { get; }

    internal ValueOption DeviceWriteBps { get; }

    internal ValueOption DeviceWriteIops { get; }

    internal ValueOption Dns { get; }

    internal ValueOption DnsOption { get; }

    internal ValueOption DnsSearch { get; }

    internal ValueOption Domainname { get; }

    internal ValueOption Entrypoint { get; }

    internal ValueOption Env { get; }

    internal ValueOption EnvFile { get; }

    internal ValueOption Expose { get; }

    internal ValueOption Gpus { get; }

    internal ValueOption GroupAdd { get; }

    internal ValueOption HealthCmd { get; }

    internal ValueOption HealthInterval { get; }

    internal ValueOption HealthRetries { get; }

    internal ValueOption HealthStartInterval { get; }

    internal ValueOption HealthStartPeriod { get; }

    internal ValueOption HealthTimeout { get; }

    internal ValueOption Hostname { get; }

    internal FlagOption Init { get; }

    internal FlagOption Interactive { get; }

    internal ValueOption Ip { get; }

    internal ValueOption Ip6 { get; }

    internal ValueOption Ipc { get; }

    internal ValueOption Isolation { get; }

    internal ValueOption KernelMemory { get; }

    internal ValueOption Label { get; }

    internal ValueOption LabelFile { get; }

    internal ValueOption Link { get; }

    internal ValueOption LinkLocalIp { get; }

    internal ValueOption LogDriver { get; }

    internal ValueOption LogOpt { get; }

    internal ValueOption MacAddress { get; }

    internal ValueOption Memory { get; }

    internal ValueOption MemoryReservation { get; }

    internal ValueOption MemorySwap { get; }

    internal ValueOption MemorySwappiness { get; }

    internal ValueOption Mount { get; }

    internal ValueOption Name { get; }

    internal ValueOption Network { get; }

    internal ValueOption NetworkAlias { get; }

    internal FlagOption NoHealthcheck { get; }

    internal FlagOption OomKillDisable { get; }

    internal ValueOption OomScoreAdj { get; }

    internal ValueOption Pid { get; }

    internal ValueOption PidsLimit { get; }

    internal ValueOption Platform { get; }

    internal FlagOption Privileged { get; }

    internal ValueOption Publish { get; }

    internal FlagOption PublishAll { get; }

    internal ValueOption Pull { get; }

    internal FlagOption Quiet { get; }

    internal FlagOption ReadOnly { get; }

    internal ValueOption Restart { get; }

    internal FlagOption Remove { get; }

    internal ValueOption RuntimeName { get; }

    internal ValueOption SecurityOpt { get; }

    internal ValueOption ShmSize { get; }

    internal ValueOption StopSignal { get; }

    internal ValueOption StopTimeout { get; }

    internal ValueOption StorageOpt { get; }

    internal ValueOption Sysctl { get; }

    internal ValueOption Tmpfs { get; }

    internal FlagOption Tty { get; }

    internal ValueOption Ulimit { get; }

    internal ValueOption User { get; }

    internal ValueOption Userns { get; }

    internal ValueOption Uts { get; }

    internal ValueOption Volume { get; }

    internal ValueOption VolumeDriver { get; }

    internal ValueOption VolumesFrom { get; }

    internal ValueOption Workdir { get; }
}
