using System.Globalization;
using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Cgroups;

/// <summary>Writes a bundle's resource limits into its cgroup, each in the form of the tree its controller lives in.</summary>
public sealed class CgroupLimits(CgroupDirectories cgroup, IReadOnlyList<string> askedByName, List<string> warnings)
{
    private const ulong DefaultPeriod = 100_000;

    /// <summary>All limits but those on devices.</summary>
    public void Apply(Resources? resources)
    {
        if (resources is null)
        {
            return;
        }

        Memory(resources.Memory);
        Cpu(resources.Cpu);
        Cpuset(resources.Cpu);
        Pids(resources.Pids);
        BlockIo(resources.BlockIo);
        Unified(resources.Unified);
    }

    /// <summary>Limits on devices; after the container's own nodes are made, which they might forbid.</summary>
    public void ApplyDevices(Resources? resources)
    {
        if (resources is not null)
        {
            Devices(resources.Devices);
        }
    }

    private void Memory(MemoryLimits? limits)
    {
        if (limits is null)
        {
            return;
        }

        if (cgroup.V1("memory") is { } v1)
        {
            MemoryV1(v1, limits);
        }
        else if (cgroup.V2("memory") is { } v2)
        {
            MemoryV2(v2, limits);
        }
        else
        {
            Missing("memory", limits.Limit is not null || limits.Swap is not null);
        }
    }

    private void MemoryV1(string directory, MemoryLimits limits)
    {
        // A new cgroup has neither limit, and the kernel wants memory below memory+swap at all times.
        Write(directory, "memory.limit_in_bytes", limits.Limit);
        if (limits.Swap is { } swap && swap != 0)
        {
            if (File.Exists(directory + "/memory.memsw.limit_in_bytes"))
            {
                Write(directory, "memory.memsw.limit_in_bytes", swap);
            }
            else if (swap > 0)
            {
                warnings.Add("the kernel does not account swap: memory is limited without it");
            }
        }

        Write(directory, "memory.soft_limit_in_bytes", limits.Reservation);
        Write(directory, "memory.swappiness", (long?)limits.Swappiness);
        if (limits.DisableOomKiller is true)
        {
            Write(directory, "memory.oom_control", 1);
        }
    }

    private void MemoryV2(string directory, MemoryLimits limits)
    {
        Write(directory, "memory.max", Max(limits.Limit));
        if (limits.Swap is { } swap && swap != 0)
        {
            // v2 counts swap by itself.
            var alone = swap < 0 ? -1 : swap - Math.Max(limits.Limit ?? 0, 0);
            if (File.Exists(directory + "/memory.swap.max"))
            {
                Write(directory, "memory.swap.max", Max(alone));
            }
            else if (swap > 0)
            {
                warnings.Add("the kernel does not account swap: memory is limited without it");
            }
        }

        Write(directory, "memory.low", Max(limits.Reservation));
        if (limits.Swappiness is not null)
        {
            warnings.Add("cgroup v2 has no swappiness; it is ignored");
        }

        if (limits.DisableOomKiller is true)
        {
            warnings.Add("cgroup v2 can't disable the OOM killer; it stays on");
        }
    }

    private void Cpu(CpuLimits? limits)
    {
        if (limits is null || (limits.Shares is null or 0 && limits.Quota is null or 0 && limits.Period is null or 0))
        {
            return;
        }

        if (cgroup.V1("cpu") is { } v1)
        {
            Write(v1, "cpu.shares", limits.Shares is 0 ? null : (long?)limits.Shares);

            // The kernel checks each write against the other value, so which comes first depends on what is there: the default period is 100 ms.
            Write(v1, "cpu.cfs_period_us", limits.Period is 0 ? null : (long?)limits.Period);
            Write(v1, "cpu.cfs_quota_us", limits.Quota is 0 ? null : limits.Quota);
        }
        else if (cgroup.V2("cpu") is { } v2)
        {
            if (limits.Shares is { } shares and not 0)
            {
                Write(v2, "cpu.weight", WeightOfShares(shares));
            }

            if (limits.Quota is not (null or 0) || limits.Period is not (null or 0))
            {
                var quota = limits.Quota is > 0 ? limits.Quota.Value.ToString(CultureInfo.InvariantCulture) : "max";
                Write(v2, "cpu.max", $"{quota} {(limits.Period is null or 0 ? DefaultPeriod : limits.Period.Value)}");
            }
        }
        else
        {
            Missing("cpu", required: true);
        }
    }

    private void Cpuset(CpuLimits? limits)
    {
        if (string.IsNullOrEmpty(limits?.Cpus) && string.IsNullOrEmpty(limits?.Mems))
        {
            return;
        }

        if ((cgroup.V1("cpuset") ?? cgroup.V2("cpuset")) is { } directory)
        {
            Write(directory, "cpuset.cpus", string.IsNullOrEmpty(limits.Cpus) ? null : limits.Cpus);
            Write(directory, "cpuset.mems", string.IsNullOrEmpty(limits.Mems) ? null : limits.Mems);
        }
        else
        {
            Missing("cpuset", required: true);
        }
    }

    private void Pids(PidsLimit? limit)
    {
        if (limit is null or { Limit: 0 })
        {
            return;
        }

        if ((cgroup.V1("pids") ?? cgroup.V2("pids")) is { } directory)
        {
            Write(directory, "pids.max", Max(limit.Limit));
        }
        else
        {
            Missing("pids", required: limit.Limit > 0);
        }
    }

    private void BlockIo(BlockIoLimits? limits)
    {
        if (limits?.Weight is not { } weight || weight == 0)
        {
            return;
        }

        // BFQ has its own file; the generic one belongs to CFQ (gone since 5.0) or iocost.
        var candidates = cgroup.V1("blkio") is { } v1
            ? new[] { (v1 + "/blkio.bfq.weight", weight.ToString(CultureInfo.InvariantCulture)), (v1 + "/blkio.weight", weight.ToString(CultureInfo.InvariantCulture)) }
            : cgroup.V2("io") is { } v2
                ? [(v2 + "/io.bfq.weight", weight.ToString(CultureInfo.InvariantCulture)), (v2 + "/io.weight", $"default {IoWeight(weight)}")]
                : [];
        foreach (var (path, value) in candidates)
        {
            if (File.Exists(path))
            {
                FileSyscalls.WriteKernelFile(path, value);
                return;
            }
        }

        warnings.Add("the kernel offers no block I/O weight; it is ignored");
    }

    private void Devices(IReadOnlyList<DeviceRule> rules)
    {
        if (rules.Count == 0)
        {
            return;
        }

        if (cgroup.V1("devices") is { } v1)
        {
            foreach (var rule in rules)
            {
                FileSyscalls.WriteKernelFile(v1 + (rule.Allow ? "/devices.allow" : "/devices.deny"), DeviceRules.Text(rule));
            }
        }
        else if (cgroup.Unified is { } v2)
        {
            DeviceProgram.Attach(v2, DeviceRules.Compile(rules));
        }
        else
        {
            Missing("devices", required: false);
        }
    }

    private void Unified(IReadOnlyDictionary<string, string>? files)
    {
        foreach (var (name, value) in files ?? new Dictionary<string, string>())
        {
            if (name.Contains('/') || name is "" or "." or "..")
            {
                throw WherryException.Invalid($"cgroup file \"{name}\": not a file name");
            }

            var directory = cgroup.Unified ?? throw WherryException.Unsupported($"cgroup file \"{name}\": this host has no cgroup v2 tree with controllers");
            Write(directory, name, value);
        }
    }

    /// <summary>v1's 2–262144 mapped on v2's 1–10000, as systemd and other runtimes do.</summary>
    internal static long WeightOfShares(ulong shares) => 1 + (long)((Math.Clamp(shares, 2, 262_144) - 2) * 9_999 / 262_142);

    /// <summary>v1's 10–1000 mapped on v2's 1–10000.</summary>
    internal static long IoWeight(ushort weight) => 1 + ((Math.Clamp(weight, (ushort)10, (ushort)1000) - 10) * 9_999L / 990);

    private static string? Max(long? value) => value switch
    {
        null => null,
        < 0 => "max",
        var bytes => bytes.Value.ToString(CultureInfo.InvariantCulture),
    };

    private static void Write(string directory, string file, long? value) => Write(directory, file, value?.ToString(CultureInfo.InvariantCulture));

    private static void Write(string directory, string file, string? value)
    {
        if (value is not null)
        {
            FileSyscalls.WriteKernelFile($"{directory}/{file}", value);
        }
    }

    private void Missing(string controller, bool required)
    {
        var message = $"this host has no cgroup controller \"{controller}\"";
        if (required && askedByName.Contains(controller, StringComparer.OrdinalIgnoreCase))
        {
            throw WherryException.Unsupported($"{message}, so the limit asked for can't be set");
        }

        warnings.Add($"{message}: the container runs without that limit");
    }
}
