using System.CommandLine;
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
        AlsoSpelled(DnsOption, "dns-opt");
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
        Ipc = Value("ipc", null, "string", "IPC mode to use");
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
        AlsoSpelled(Network, "net");
        NetworkAlias = List("network-alias", null, "Add network-scoped alias for the container");
        AlsoSpelled(NetworkAlias, "net-alias");
        NoHealthcheck = Flag("no-healthcheck", null, "Disable any container-specified HEALTHCHECK");
        OomKillDisable = Flag("oom-kill-disable", null, "Disable OOM Killer");
        OomScoreAdj = Value("oom-score-adj", null, "int", "Tune host's OOM preferences (-1000 to 1000)");
        Pid = Value("pid", null, "string", "PID namespace to use");
        PidsLimit = Value("pids-limit", null, "int", "Tune container pids limit (set -1 for unlimited)");
        Platform = Value("platform", null, "string", "Set platform if server is multi-platform capable");
        Privileged = Flag("privileged", null, "Give extended privileges to this container");
        Publish = List("publish", 'p', "Publish a container's port(s) to the host");
        PublishAll = Flag("publish-all", 'P', "Publish all exposed ports to random ports");
        Pull = Value("pull", null, "string", "Whether an image may be fetched (\"missing\", \"never\"); images come from bootstrap, load and import");
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
        Userns = Value("userns", null, "string", "User namespace to use");
        Uts = Value("uts", null, "string", "UTS namespace to use");
        Volume = List("volume", 'v', "Bind mount a volume");
        VolumeDriver = Value("volume-driver", null, "string", "Optional volume driver for the container");
        VolumesFrom = List("volumes-from", null, "Mount volumes from the specified container(s)");
        Workdir = Value("workdir", 'w', "string", "Working directory inside the container");
        Hidden(Flag("disable-content-trust", null, "Accepted and ignored"));
    }

    internal override bool OptionsEndAtFirstArgument => true;

    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Images;

    internal Option<string[]> AddHost { get; }

    internal Option<string[]> Annotation { get; }

    internal Option<string[]> Attach { get; }

    internal Option<string[]> BlkioWeight { get; }

    internal Option<string[]> BlkioWeightDevice { get; }

    internal Option<string[]> CapAdd { get; }

    internal Option<string[]> CapDrop { get; }

    internal Option<string[]> CgroupParent { get; }

    internal Option<string[]> Cgroupns { get; }

    internal Option<string[]> CidFile { get; }

    internal Option<string[]> CpuPeriod { get; }

    internal Option<string[]> CpuQuota { get; }

    internal Option<string[]> CpuRealtimePeriod { get; }

    internal Option<string[]> CpuRealtimeRuntime { get; }

    internal Option<string[]> CpuShares { get; }

    internal Option<string[]> Cpus { get; }

    internal Option<string[]> CpusetCpus { get; }

    internal Option<string[]> CpusetMems { get; }

    internal Option<string[]> Device { get; }

    internal Option<string[]> DeviceCgroupRule { get; }

    internal Option<string[]> DeviceReadBps { get; }

    internal Option<string[]> DeviceReadIops { get; }

    internal Option<string[]> DeviceWriteBps { get; }

    internal Option<string[]> DeviceWriteIops { get; }

    internal Option<string[]> Dns { get; }

    internal Option<string[]> DnsOption { get; }

    internal Option<string[]> DnsSearch { get; }

    internal Option<string[]> Domainname { get; }

    internal Option<string[]> Entrypoint { get; }

    internal Option<string[]> Env { get; }

    internal Option<string[]> EnvFile { get; }

    internal Option<string[]> Expose { get; }

    internal Option<string[]> Gpus { get; }

    internal Option<string[]> GroupAdd { get; }

    internal Option<string[]> HealthCmd { get; }

    internal Option<string[]> HealthInterval { get; }

    internal Option<string[]> HealthRetries { get; }

    internal Option<string[]> HealthStartInterval { get; }

    internal Option<string[]> HealthStartPeriod { get; }

    internal Option<string[]> HealthTimeout { get; }

    internal Option<string[]> Hostname { get; }

    internal Option<bool> Init { get; }

    internal Option<bool> Interactive { get; }

    internal Option<string[]> Ip { get; }

    internal Option<string[]> Ip6 { get; }

    internal Option<string[]> Ipc { get; }

    internal Option<string[]> Isolation { get; }

    internal Option<string[]> KernelMemory { get; }

    internal Option<string[]> Label { get; }

    internal Option<string[]> LabelFile { get; }

    internal Option<string[]> Link { get; }

    internal Option<string[]> LinkLocalIp { get; }

    internal Option<string[]> LogDriver { get; }

    internal Option<string[]> LogOpt { get; }

    internal Option<string[]> MacAddress { get; }

    internal Option<string[]> Memory { get; }

    internal Option<string[]> MemoryReservation { get; }

    internal Option<string[]> MemorySwap { get; }

    internal Option<string[]> MemorySwappiness { get; }

    internal Option<string[]> Mount { get; }

    internal Option<string[]> Name { get; }

    internal Option<string[]> Network { get; }

    internal Option<string[]> NetworkAlias { get; }

    internal Option<bool> NoHealthcheck { get; }

    internal Option<bool> OomKillDisable { get; }

    internal Option<string[]> OomScoreAdj { get; }

    internal Option<string[]> Pid { get; }

    internal Option<string[]> PidsLimit { get; }

    internal Option<string[]> Platform { get; }

    internal Option<bool> Privileged { get; }

    internal Option<string[]> Publish { get; }

    internal Option<bool> PublishAll { get; }

    internal Option<string[]> Pull { get; }

    internal Option<bool> Quiet { get; }

    internal Option<bool> ReadOnly { get; }

    internal Option<string[]> Restart { get; }

    internal Option<bool> Remove { get; }

    internal Option<string[]> RuntimeName { get; }

    internal Option<string[]> SecurityOpt { get; }

    internal Option<string[]> ShmSize { get; }

    internal Option<string[]> StopSignal { get; }

    internal Option<string[]> StopTimeout { get; }

    internal Option<string[]> StorageOpt { get; }

    internal Option<string[]> Sysctl { get; }

    internal Option<string[]> Tmpfs { get; }

    internal Option<bool> Tty { get; }

    internal Option<string[]> Ulimit { get; }

    internal Option<string[]> User { get; }

    internal Option<string[]> Userns { get; }

    internal Option<string[]> Uts { get; }

    internal Option<string[]> Volume { get; }

    internal Option<string[]> VolumeDriver { get; }

    internal Option<string[]> VolumesFrom { get; }

    internal Option<string[]> Workdir { get; }
}
