using System.Reflection;
using Wherry.Api.Contracts.Info;
using Wherry.Engine.Containers;
using Wherry.Images.Distribution;

namespace Wherry.Engine.Hosts;

/// <summary>What <c>version</c> and <c>info</c> show.</summary>
public sealed class SystemService
{
    /// <summary>The newest version of the Docker Engine API that is served.</summary>
    public const string ApiVersion = "1.56";

    /// <summary>The oldest version announced; older prefixes are served all the same.</summary>
    public const string MinApiVersion = "1.12";

    private readonly EngineParts _parts;
    private readonly ContainerService _containers;
    private readonly HostDescription _host = HostDescription.Read();
    private readonly string _id;

    internal SystemService(EngineParts parts, ContainerService containers)
    {
        _parts = parts;
        _containers = containers;
        _id = EngineId.ReadOrCreate(parts.Options.DataRoot);
    }

    /// <summary>Wherry's own version.</summary>
    public static string EngineVersion { get; } =
        typeof(SystemService).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public SystemVersion Version() => new()
    {
        Platform = new VersionPlatform { Name = "Wherry" },
        Components =
        [
            new ComponentVersion
            {
                Name = "Engine",
                Version = EngineVersion,
                Details = new Dictionary<string, string>
                {
                    ["ApiVersion"] = ApiVersion,
                    ["Arch"] = HostDescription.ImageArchitecture,
                    ["Experimental"] = "false",
                    ["KernelVersion"] = _host.KernelVersion,
                    ["MinAPIVersion"] = MinApiVersion,
                    ["Os"] = "linux",
                },
            },
        ],
        Version = EngineVersion,
        ApiVersion = ApiVersion,
        MinAPIVersion = MinApiVersion,
        Os = "linux",
        Arch = HostDescription.ImageArchitecture,
        KernelVersion = _host.KernelVersion,
    };

    public SystemInfo Info()
    {
        var (running, paused, stopped) = _containers.Count();
        return new SystemInfo
        {
            ID = _id,
            Containers = running + paused + stopped,
            ContainersRunning = running,
            ContainersPaused = paused,
            ContainersStopped = stopped,
            Images = _parts.Images.List().Count,
            Driver = _parts.Layers.DriverName,
            DriverStatus = [.. _parts.Layers.DriverStatus.Select(pair => (string[])[pair.Key, pair.Value])],
            DockerRootDir = _parts.Options.DataRoot,
            Plugins = new PluginsInfo { Volume = ["local"], Network = ["bridge", "host", "null"], Log = ["json-file", "none"] },
            MemoryLimit = HasController("memory"),
            SwapLimit = _parts.Host.SwapLimit,
            CpuCfsPeriod = HasController("cpu"),
            CpuCfsQuota = HasController("cpu"),
            CPUShares = HasController("cpu"),
            CPUSet = HasController("cpuset"),
            PidsLimit = HasController("pids"),
            OomKillDisable = _host.CgroupVersion == "1" && HasController("memory"),
            IPv4Forwarding = ReadFlag("/proc/sys/net/ipv4/ip_forward"),
            BridgeNfIptables = ReadFlag("/proc/sys/net/bridge/bridge-nf-call-iptables"),
            BridgeNfIp6tables = ReadFlag("/proc/sys/net/bridge/bridge-nf-call-ip6tables"),
            IndexServerAddress = "https://index.docker.io/v1/",
            RegistryConfig = Registries(_parts.Options.Registries),
            Debug = _parts.Options.Debug,
            NFd = Directory.GetFiles("/proc/self/fd").Length,
            NGoroutines = ThreadPool.ThreadCount,
            SystemTime = DateTimeOffset.UtcNow.ToString("O"),
            LoggingDriver = "json-file",
            CgroupDriver = _parts.Host is { IsRootless: true, Controllers.Count: 0 } ? "none" : "cgroupfs",
            CgroupVersion = _host.CgroupVersion,
            KernelVersion = _host.KernelVersion,
            OperatingSystem = _host.OperatingSystem,
            OSVersion = _host.OsVersion,
            OSType = "linux",
            Architecture = _host.Architecture,
            NCPU = _parts.Host.CpuCount,
            MemTotal = _parts.Host.TotalMemory,
            Name = Environment.MachineName,
            Labels = [.. _parts.Options.Labels.Select(label => $"{label.Key}={label.Value}")],
            ServerVersion = EngineVersion,
            Runtimes = new Dictionary<string, RuntimeInfo> { ["wherry"] = new() { Path = _parts.Options.ShimPath } },
            DefaultRuntime = "wherry",
            Swarm = new SwarmInfo { LocalNodeState = "inactive" },
            LiveRestoreEnabled = true,
            InitBinary = Path.GetFileName(_parts.Options.ShimPath),
            SecurityOptions = _parts.Options.UserNamespaces == "host" ? _parts.Host.SecurityOptions : [.. _parts.Host.SecurityOptions, "name=userns"],
            FirewallBackend = new FirewallInfo { Driver = "nftables" },
            Warnings = Warnings(),
        };
    }

    private static RegistryServiceConfig Registries(RegistryOptions options) => new()
    {
        InsecureRegistryCIDRs = ["::1/128", "127.0.0.0/8", .. options.InsecureRegistries.Where(entry => entry.Contains('/'))],
        IndexConfigs = options.InsecureRegistries.Where(entry => !entry.Contains('/'))
            .Select(name => new IndexInfo { Name = name, Secure = false })
            .Append(new IndexInfo { Name = "docker.io", Secure = true, Official = true, Mirrors = options.Mirrors })
            .DistinctBy(index => index.Name)
            .ToDictionary(index => index.Name, StringComparer.Ordinal),
        Mirrors = options.Mirrors,
    };

    private IReadOnlyList<string> Warnings() =>
    [
        .. from controller in (string[])["memory", "cpu", "cpuset", "pids"]
           where !HasController(controller)
           select $"WARNING: No {controller} cgroup controller: its limits are refused",
    ];

    private bool HasController(string name) => _parts.Host.Controllers.Contains(name);

    private static bool ReadFlag(string path) => File.Exists(path) && File.ReadAllText(path).Trim() == "1";
}
