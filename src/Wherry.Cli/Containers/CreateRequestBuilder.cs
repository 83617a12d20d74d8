using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Json;
using Wherry.Api.Contracts.Networks;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Parsing;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Containers;

/// <summary>
/// From the options of <c>create</c> and <c>run</c> to the request that the stock <c>docker</c> would send for the
/// same command line. Reads files the options name; otherwise pure.
/// </summary>
internal sealed class CreateRequestBuilder(ContainerOptions options, Invocation given, bool detached)
{
    internal ContainerCreateRequest Build()
    {
        var image = given.Arguments[0];
        if (image.Length == 0)
        {
            throw new CliException("invalid reference format");
        }

        var (attachStdin, attachStdout, attachStderr) = AttachedStreams();
        var ports = Ports();
        var (binds, volumes) = Volumes();
        var network = new NetworkRequest(options, given);

        return new ContainerCreateRequest
        {
            Hostname = given.Text(options.Hostname),
            Domainname = given.Text(options.Domainname),
            User = given.Text(options.User),
            AttachStdin = attachStdin,
            AttachStdout = attachStdout,
            AttachStderr = attachStderr,
            ExposedPorts = ports.Exposed.Count == 0 ? null : ports.Exposed,
            Tty = given.Is(options.Tty),
            OpenStdin = given.Is(options.Interactive),
            StdinOnce = given.Is(options.Interactive) && attachStdin,
            Env = OrNull(VariableList.Environment(given.All(options.EnvFile), given.All(options.Env), given.Context.Environment)),
            Cmd = given.Arguments.Length > 1 ? given.Arguments[1..] : null,
            Healthcheck = HealthOptions.Build(options, given),
            Image = image,
            Volumes = volumes,
            WorkingDir = given.Text(options.Workdir),
            Entrypoint = given.Last(options.Entrypoint) is { } entrypoint ? [entrypoint] : null,
            Labels = VariableList.Labels(given.All(options.LabelFile), given.All(options.Label)),
            StopSignal = given.Last(options.StopSignal),
            StopTimeout = (int?)given.Number(options.StopTimeout),
            HostConfig = Host(ports.Bindings, binds, network.Mode),
            NetworkingConfig = network.Config,
        };
    }

    private HostConfig Host(Dictionary<string, IReadOnlyList<PortBinding>?> bindings, List<string> binds, string networkMode)
    {
        var restart = RestartPolicyOption();
        if (given.Is(options.Remove) && restart.Name is not ("" or "no"))
        {
            throw new UsageException("conflicting options: cannot specify both --restart and --rm");
        }

        var (capAdd, capDrop) = CapabilityOptions.Effective(given.All(options.CapAdd), given.All(options.CapDrop));
        var security = SecurityOptions.Build(given.All(options.SecurityOpt));
        var (devices, requests) = Devices();
        var log = LogConfigOption();
        return new HostConfig
        {
            Binds = OrNull(binds),
            ContainerIDFile = given.Text(options.CidFile),
            LogConfig = log,
            NetworkMode = networkMode,
            PortBindings = bindings,
            RestartPolicy = restart,
            AutoRemove = given.Is(options.Remove),
            VolumeDriver = given.Text(options.VolumeDriver),
            VolumesFrom = OrNull(given.All(options.VolumesFrom)),
            ConsoleSize = TerminalSize.Of(1) is { } size ? [size.Height, size.Width] : [0, 0],
            Annotations = given.Has(options.Annotation) ? VariableList.Map(given.All(options.Annotation)) : null,
            CapAdd = capAdd,
            CapDrop = capDrop,
            CgroupnsMode = Mode(options.Cgroupns, "CGROUP", "host", "private"),
            Dns = given.ConvertAll(options.Dns, HostSpec.Address),
            DnsOptions = given.All(options.DnsOption),
            DnsSearch = given.ConvertAll(options.DnsSearch, HostSpec.SearchDomain),
            ExtraHosts = OrNull(given.ConvertAll(options.AddHost, HostSpec.ExtraHost)),
            GroupAdd = OrNull(given.All(options.GroupAdd)),
            IpcMode = given.Text(options.Ipc),
            Links = OrNull(given.All(options.Link)),
            OomScoreAdj = (int)(given.Number(options.OomScoreAdj) ?? 0),
            PidMode = Mode(options.Pid, "PID", "host", "container:"),
            Privileged = given.Is(options.Privileged),
            PublishAllPorts = given.Is(options.PublishAll),
            ReadonlyRootfs = given.Is(options.ReadOnly),
            SecurityOpt = security.Options,
            MaskedPaths = security.UnmaskPaths ? [] : null,
            ReadonlyPaths = security.UnmaskPaths ? [] : null,
            StorageOpt = StorageOptions(),
            Tmpfs = Tmpfs(),
            UTSMode = Mode(options.Uts, "UTS", "host"),
            UsernsMode = given.Text(options.Userns) is [>= '0' and <= '9', ..] range
                ? range
                : Mode(options.Userns, "USER", "host", "auto", "auto:", "keep-id", "keep-id:", "container:"),
            ShmSize = given.Bytes(options.ShmSize) ?? 0,
            Sysctls = given.Has(options.Sysctl) ? VariableList.Map(given.ConvertAll(options.Sysctl, SysctlOption)) : null,
            Runtime = given.Last(options.RuntimeName),
            Isolation = given.Text(options.Isolation),
            Mounts = given.Has(options.Mount) ? given.ConvertAll(options.Mount, MountSpec.Parse) : null,
            Init = given.Has(options.Init) ? given.Is(options.Init) : null,
            CpuShares = given.Number(options.CpuShares) ?? 0,
            Memory = given.Bytes(options.Memory) ?? 0,
            NanoCpus = given.Convert(options.Cpus, Numbers.ParseNanoCpus) ?? 0,
            CgroupParent = given.Text(options.CgroupParent),
            BlkioWeight = (int)(given.Number(options.BlkioWeight) ?? 0),
            BlkioWeightDevice = given.ConvertAll(options.BlkioWeightDevice, DeviceSpec.Weight),
            BlkioDeviceReadBps = given.ConvertAll(options.DeviceReadBps, DeviceSpec.BytesPerSecond),
            BlkioDeviceWriteBps = given.ConvertAll(options.DeviceWriteBps, DeviceSpec.BytesPerSecond),
            BlkioDeviceReadIOps = given.ConvertAll(options.DeviceReadIops, DeviceSpec.OperationsPerSecond),
            BlkioDeviceWriteIOps = given.ConvertAll(options.DeviceWriteIops, DeviceSpec.OperationsPerSecond),
            CpuPeriod = given.Number(options.CpuPeriod) ?? 0,
            CpuQuota = given.Number(options.CpuQuota) ?? 0,
            CpuRealtimePeriod = given.Number(options.CpuRealtimePeriod) ?? 0,
            CpuRealtimeRuntime = given.Number(options.CpuRealtimeRuntime) ?? 0,
            CpusetCpus = given.Text(options.CpusetCpus),
            CpusetMems = given.Text(options.CpusetMems),
            Devices = devices,
            DeviceCgroupRules = OrNull(given.ConvertAll(options.DeviceCgroupRule, DeviceSpec.CgroupRule)),
            DeviceRequests = OrNull(requests),
            MemoryReservation = given.Bytes(options.MemoryReservation) ?? 0,
            MemorySwap = given.Convert(options.MemorySwap, ByteSize.ParseOrUnlimited) ?? 0,
            MemorySwappiness = Swappiness(),
            OomKillDisable = given.Is(options.OomKillDisable),
            PidsLimit = given.Number(options.PidsLimit) ?? 0,
            Ulimits = given.ConvertAll(options.Ulimit, UlimitSpec.Parse),
        };
    }

    private (bool Stdin, bool Stdout, bool Stderr) AttachedStreams()
    {
        var names = given.ConvertAll(options.Attach, static name => name.ToLowerInvariant() switch
        {
            "stdin" or "stdout" or "stderr" => name.ToLowerInvariant(),
            _ => throw new FormatException("valid streams are STDIN, STDOUT and STDERR"),
        });
        if (detached)
        {
            return names.Count == 0
                ? (false, false, false)
                : throw new CliException("conflicting options: cannot specify both --attach and --detach");
        }

        var all = names.Count == 0;
        return (names.Contains("stdin") || given.Is(options.Interactive), all || names.Contains("stdout"), all || names.Contains("stderr"));
    }

    private (Dictionary<string, EmptyObject> Exposed, Dictionary<string, IReadOnlyList<PortBinding>?> Bindings) Ports()
    {
        var exposed = new Dictionary<string, EmptyObject>(StringComparer.Ordinal);
        var bindings = new Dictionary<string, IReadOnlyList<PortBinding>?>(StringComparer.Ordinal);
        foreach (var text in given.All(options.Publish))
        {
            foreach (var (port, binding) in PortSpec.Parse(text))
            {
                exposed[port] = EmptyObject.Instance;
                bindings[port] = bindings.TryGetValue(port, out var earlier) ? [.. earlier!, binding] : [binding];
            }
        }

        foreach (var text in given.All(options.Expose))
        {
            foreach (var port in PortSpec.ParseExposed(text))
            {
                exposed[port] = EmptyObject.Instance;
            }
        }

        return (exposed, bindings);
    }

    private (List<string> Binds, Dictionary<string, EmptyObject> Volumes) Volumes()
    {
        var binds = new List<string>();
        var volumes = new Dictionary<string, EmptyObject>(StringComparer.Ordinal);
        foreach (var text in given.All(options.Volume))
        {
            if (BindSpec.Parse(text) is { } bind)
            {
                binds.Add(bind);
            }
            else
            {
                volumes[text] = EmptyObject.Instance;
            }
        }

        return (binds, volumes);
    }

    private Dictionary<string, string>? Tmpfs()
    {
        if (!given.Has(options.Tmpfs))
        {
            return null;
        }

        var mounts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in given.All(options.Tmpfs))
        {
            var colon = text.IndexOf(':');
            mounts[colon < 0 ? text : text[..colon]] = colon < 0 ? "" : text[(colon + 1)..];
        }

        return mounts;
    }

    private (List<DeviceMapping> Devices, List<DeviceRequest> Requests) Devices()
    {
        var devices = new List<DeviceMapping>();
        var requests = new List<DeviceRequest>();
        if (given.Last(options.Gpus) is { } gpus)
        {
            requests.Add(GpuOption.Parse(gpus));
        }

        var qualified = new List<string>();
        foreach (var text in given.All(options.Device))
        {
            if (DeviceSpec.IsQualifiedName(text))
            {
                qualified.Add(text);
            }
            else
            {
                devices.Add(DeviceSpec.Parse(text));
            }
        }

        if (qualified.Count > 0)
        {
            requests.Add(new DeviceRequest { Driver = "cdi", DeviceIDs = qualified });
        }

        return (devices, requests);
    }

    private RestartPolicy RestartPolicyOption()
    {
        var text = given.Last(options.Restart) ?? "no";
        var colon = text.IndexOf(':');
        if (colon < 0)
        {
            return new RestartPolicy { Name = text };
        }

        if (colon == 0)
        {
            throw new UsageException("invalid restart policy format: no policy provided before colon");
        }

        return int.TryParse(text.AsSpan(colon + 1), out var count)
            ? new RestartPolicy { Name = text[..colon], MaximumRetryCount = count }
            : throw new UsageException("invalid restart policy format: maximum retry count must be an integer");
    }

    private LogConfig LogConfigOption()
    {
        var driver = given.Text(options.LogDriver);
        var settings = VariableList.Map(given.All(options.LogOpt));
        if (driver == "none" && settings.Count > 0)
        {
            throw new UsageException("invalid logging opts for driver none");
        }

        return new LogConfig { Type = driver, Config = settings };
    }

    private Dictionary<string, string>? StorageOptions()
    {
        var texts = given.All(options.StorageOpt);
        if (texts.Any(static text => !text.Contains('=', StringComparison.Ordinal)))
        {
            throw new UsageException("invalid storage option");
        }

        return texts.Length == 0 ? null : VariableList.Map(texts);
    }

    private long Swappiness()
    {
        var value = given.Number(options.MemorySwappiness) ?? -1;
        return value is >= -1 and <= 100
            ? value
            : throw new UsageException($"invalid value: {value}. Valid memory swappiness range is 0-100");
    }

    /// <summary>A namespace mode; a permitted value that ends with a colon takes a name behind it.</summary>
    private string Mode(ValueOption option, string kind, params ReadOnlySpan<string> permitted)
    {
        var text = given.Text(option);
        if (text.Length == 0)
        {
            return text;
        }

        foreach (var value in permitted)
        {
            if (value.EndsWith(':') ? text.StartsWith(value, StringComparison.Ordinal) && text.Length > value.Length : text == value)
            {
                return text;
            }
        }

        throw new UsageException($"{option.Name}: invalid {kind} mode");
    }

    private static string SysctlOption(string text)
    {
        var equals = text.IndexOf('=');
        var key = equals < 0 ? "" : text[..equals];
        var allowed = key is "kernel.msgmax" or "kernel.msgmnb" or "kernel.msgmni" or "kernel.sem" or "kernel.shmall"
                or "kernel.shmmax" or "kernel.shmmni" or "kernel.shm_rmid_forced"
            || key.StartsWith("net.", StringComparison.Ordinal)
            || key.StartsWith("fs.mqueue.", StringComparison.Ordinal);
        return allowed ? text : throw new FormatException($"sysctl '{text}' is not allowed");
    }

    private static IReadOnlyList<T>? OrNull<T>(IReadOnlyList<T> list) => list.Count == 0 ? null : list;
}
