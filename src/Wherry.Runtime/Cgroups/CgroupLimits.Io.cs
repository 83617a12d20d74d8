using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Cgroups;

/// <summary>Block devices, huge pages, network, RDMA.</summary>
public sealed partial class CgroupLimits
{
    /// <summary>v1's 10–1000 mapped on v2's 1–10000.</summary>
    internal static long IoWeight(ushort weight) => 1 + ((Math.Clamp(weight, (ushort)10, (ushort)1000) - 10) * 9_999L / 990);

    private void BlockIo(BlockIoLimits? limits)
    {
        if (limits is null)
        {
            return;
        }

        Weight(limits.Weight);
        if (limits.LeafWeight is > 0)
        {
            warnings.Add("linux.resources.blockIO.leafWeight: kernels since 5.0 have none; it is ignored");
        }

        foreach (var device in limits.WeightDevice)
        {
            DeviceWeight(device);
        }

        Throttle(limits.ThrottleReadBpsDevice, "read_bps", "rbps", "throttleReadBpsDevice");
        Throttle(limits.ThrottleWriteBpsDevice, "write_bps", "wbps", "throttleWriteBpsDevice");
        Throttle(limits.ThrottleReadIopsDevice, "read_iops", "riops", "throttleReadIOPSDevice");
        Throttle(limits.ThrottleWriteIopsDevice, "write_iops", "wiops", "throttleWriteIOPSDevice");
    }

    // BFQ has its own file; the generic one belongs to CFQ (gone since 5.0) or iocost.
    private void Weight(ushort? asked)
    {
        if (asked is not { } weight || weight == 0)
        {
            return;
        }

        var candidates = cgroup.V1("blkio") is { } v1
            ? new[] { (v1 + "/blkio.bfq.weight", Text(weight)), (v1 + "/blkio.weight", Text(weight)) }
            : cgroup.V2("io") is { } v2
                ? [(v2 + "/io.bfq.weight", Text(weight)), (v2 + "/io.weight", $"default {IoWeight(weight)}")]
                : [];
        if (!TryWrite(candidates))
        {
            warnings.Add("the kernel offers no block I/O weight; it is ignored");
        }
    }

    private void DeviceWeight(WeightDevice device)
    {
        if (device.Weight is not { } weight || weight == 0)
        {
            return;
        }

        var name = $"{device.Major}:{device.Minor}";
        var candidates = cgroup.V1("blkio") is { } v1
            ? new[] { (v1 + "/blkio.bfq.weight_device", $"{name} {weight}"), (v1 + "/blkio.weight_device", $"{name} {weight}") }
            : cgroup.V2("io") is { } v2
                ? [(v2 + "/io.bfq.weight", $"{name} {weight}"), (v2 + "/io.weight", $"{name} {IoWeight(weight)}")]
                : [];
        if (!TryWrite(candidates))
        {
            throw WherryException.Unsupported($"linux.resources.blockIO.weightDevice: this kernel has no weight of its own for the device {name}");
        }
    }

    private static bool TryWrite((string File, string Value)[] candidates)
    {
        foreach (var (file, value) in candidates)
        {
            if (File.Exists(file))
            {
                FileSyscalls.WriteKernelFile(file, value);
                return true;
            }
        }

        return false;
    }

    private void Throttle(IReadOnlyList<ThrottleDevice> devices, string v1Name, string v2Name, string property)
    {
        foreach (var device in devices)
        {
            var path = "linux.resources.blockIO." + property;
            try
            {
                if (cgroup.V1("blkio") is { } v1)
                {
                    WriteKnown(v1, $"blkio.throttle.{v1Name}_device", $"{device.Major}:{device.Minor} {device.Rate}", path);
                }
                else
                {
                    WriteKnown(Require("io", path), "io.max", $"{device.Major}:{device.Minor} {v2Name}={(device.Rate == 0 ? "max" : Text(device.Rate))}", path);
                }
            }
            catch (LinuxException e) when (e.ErrorNumber is Errno.ENODEV or Errno.ENXIO)
            {
                throw WherryException.Invalid($"{path}: the host has no block device {device.Major}:{device.Minor}", e);
            }
        }
    }

    private void HugePages(IReadOnlyList<HugepageLimit> limits)
    {
        const string property = "linux.resources.hugepageLimits";
        foreach (var limit in limits)
        {
            var directory = Require("hugetlb", property);
            var suffix = cgroup.V1("hugetlb") is null ? "max" : "limit_in_bytes";
            WriteKnown(directory, $"hugetlb.{limit.PageSize}.{suffix}", Text(limit.Limit), property);

            // What is reserved counts from the promise on, not from first use; kernels since 5.7 limit that apart.
            var reserved = $"hugetlb.{limit.PageSize}.rsvd.{suffix}";
            if (File.Exists($"{directory}/{reserved}"))
            {
                Write(directory, reserved, Text(limit.Limit));
            }
        }
    }

    private void Network(NetworkLimits? limits)
    {
        if (limits?.ClassID is { } id)
        {
            WriteKnown(cgroup.V1("net_cls") ?? throw NoController("linux.resources.network.classID", "net_cls"), "net_cls.classid", Text(id), "linux.resources.network.classID");
        }

        foreach (var priority in limits?.Priorities ?? [])
        {
            const string property = "linux.resources.network.priorities";
            WriteKnown(cgroup.V1("net_prio") ?? throw NoController(property, "net_prio"), "net_prio.ifpriomap", $"{priority.Name} {priority.Priority}", property);
        }
    }

    private void Rdma(IReadOnlyDictionary<string, RdmaLimit>? limits)
    {
        foreach (var (device, limit) in limits ?? new Dictionary<string, RdmaLimit>())
        {
            const string property = "linux.resources.rdma";
            var handles = limit.HcaHandles is { } most ? Text(most) : "max";
            var objects = limit.HcaObjects is { } count ? Text(count) : "max";
            WriteKnown(Require("rdma", property), "rdma.max", $"{device} hca_handle={handles} hca_object={objects}", property);
        }
    }

    private static WherryException NoController(string property, string controller) =>
        WherryException.Unsupported($"{property}: this host has no cgroup controller \"{controller}\" (v1 only)");
}
