using Wherry.Errors;
using Wherry.Linux;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Cgroups;

/// <summary>Processors.</summary>
public sealed partial class CgroupLimits
{
    private const ulong DefaultPeriod = 100_000;

    /// <summary>v1's 2–262144 mapped on v2's 1–10000, as systemd and other runtimes do.</summary>
    internal static long WeightOfShares(ulong shares) => 1 + (long)((Math.Clamp(shares, 2, 262_144) - 2) * 9_999 / 262_142);

    private void Cpu(CpuLimits? limits)
    {
        if (limits is null || (limits.Shares is null or 0 && limits.Quota is null or 0 && limits.Period is null or 0
            && limits is { Burst: null, Idle: null, RealtimePeriod: null or 0, RealtimeRuntime: null or 0 }))
        {
            return;
        }

        if (cgroup.V1("cpu") is { } v1)
        {
            CpuV1(v1, limits);
        }
        else if (cgroup.V2("cpu") is { } v2)
        {
            CpuV2(v2, limits);
        }
        else
        {
            Missing("cpu", required: true);
        }
    }

    private static void CpuV1(string directory, CpuLimits limits)
    {
        if (limits.Idle is { } idle)
        {
            WriteKnown(directory, "cpu.idle", Text(idle), "linux.resources.cpu.idle");
        }

        if (limits.Idle is not 1)
        {
            Write(directory, "cpu.shares", limits.Shares is 0 ? null : (long?)limits.Shares);
        }

        // A burst may be no longer than the quota, and quota and period are checked against the parent's share.
        InEitherOrder(
            () => InEitherOrder(
                () => Write(directory, "cpu.cfs_period_us", limits.Period is 0 ? null : (long?)limits.Period),
                () => Write(directory, "cpu.cfs_quota_us", limits.Quota is 0 ? null : limits.Quota)),
            () =>
            {
                if (limits.Burst is { } burst)
                {
                    WriteKnown(directory, "cpu.cfs_burst_us", Text(burst), "linux.resources.cpu.burst");
                }
            });
        RealtimeV1(directory, limits);
    }

    private static void RealtimeV1(string directory, CpuLimits limits)
    {
        try
        {
            InEitherOrder(
                () => Realtime(directory, "cpu.rt_period_us", limits.RealtimePeriod is 0 ? null : (long?)limits.RealtimePeriod, "linux.resources.cpu.realtimePeriod"),
                () => Realtime(directory, "cpu.rt_runtime_us", limits.RealtimeRuntime is 0 ? null : limits.RealtimeRuntime, "linux.resources.cpu.realtimeRuntime"));
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.EINVAL)
        {
            throw WherryException.Invalid($"linux.resources.cpu.realtimeRuntime: the cgroup above {directory} has not that much real-time to give away", e);
        }
    }

    private static void Realtime(string directory, string file, long? value, string property)
    {
        if (value is { } given)
        {
            WriteKnown(directory, file, Text(given), property);
        }
    }

    private void CpuV2(string directory, CpuLimits limits)
    {
        if (limits.RealtimeRuntime is not (null or 0) || limits.RealtimePeriod is not (null or 0))
        {
            throw WherryException.Unsupported("linux.resources.cpu.realtimeRuntime: cgroup v2 has no limit on real-time processes");
        }

        if (limits.Idle is { } idle)
        {
            WriteKnown(directory, "cpu.idle", Text(idle), "linux.resources.cpu.idle");
        }

        if (limits.Shares is { } shares and not 0 && limits.Idle is not 1)
        {
            Write(directory, "cpu.weight", WeightOfShares(shares));
        }

        InEitherOrder(
            () =>
            {
                if (limits.Quota is not (null or 0) || limits.Period is not (null or 0))
                {
                    var quota = limits.Quota is > 0 ? Text(limits.Quota.Value) : "max";
                    Write(directory, "cpu.max", $"{quota} {(limits.Period is null or 0 ? DefaultPeriod : limits.Period.Value)}");
                }
            },
            () =>
            {
                if (limits.Burst is { } burst)
                {
                    WriteKnown(directory, "cpu.max.burst", Text(burst), "linux.resources.cpu.burst");
                }
            });
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
}
