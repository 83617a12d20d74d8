using Wherry.Api.Contracts.Containers;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;
using FileMode = Wherry.Linux.Files.FileMode;
using ThrottleDevice = Wherry.Api.Contracts.Containers.ThrottleDevice;

namespace Wherry.Engine.Specs;

/// <summary>Looks up the host's block devices whose use <c>--blkio-weight-device</c> and <c>--device-read-bps</c> and its kin limit.</summary>
public static class BlockIoPlan
{
    /// <returns>Null when nothing is limited.</returns>
    /// <exception cref="WherryException">InvalidParameter: a device does not exist, or is no block device.</exception>
    public static BlockIoLimits? Resolve(HostConfig host)
    {
        var limits = new BlockIoLimits
        {
            Weight = host.BlkioWeight > 0 ? (ushort)host.BlkioWeight : null,
            WeightDevice = [.. (host.BlkioWeightDevice ?? []).Select(Weighted)],
            ThrottleReadBpsDevice = Throttled(host.BlkioDeviceReadBps),
            ThrottleWriteBpsDevice = Throttled(host.BlkioDeviceWriteBps),
            ThrottleReadIopsDevice = Throttled(host.BlkioDeviceReadIOps),
            ThrottleWriteIopsDevice = Throttled(host.BlkioDeviceWriteIOps),
        };
        var any = limits.Weight is not null || limits.WeightDevice.Count + limits.ThrottleReadBpsDevice.Count + limits.ThrottleWriteBpsDevice.Count
            + limits.ThrottleReadIopsDevice.Count + limits.ThrottleWriteIopsDevice.Count > 0;
        return any ? limits : null;
    }

    private static Oci.Runtime.WeightDevice Weighted(Api.Contracts.Containers.WeightDevice asked)
    {
        var (major, minor) = NumberOf(asked.Path);
        return new Oci.Runtime.WeightDevice(major, minor, (ushort)asked.Weight, LeafWeight: null);
    }

    private static IReadOnlyList<Oci.Runtime.ThrottleDevice> Throttled(IReadOnlyList<ThrottleDevice>? asked) =>
    [
        .. from device in asked ?? []
           let number = NumberOf(device.Path)
           select new Oci.Runtime.ThrottleDevice(number.Major, number.Minor, (ulong)device.Rate),
    ];

    private static (uint Major, uint Minor) NumberOf(string path)
    {
        FileStatus status;
        try
        {
            using var file = FileSyscalls.Open(path, OpenFlags.PathOnly);
            status = FileStatus.Of(file);
        }
        catch (LinuxException failure)
        {
            throw WherryException.Invalid($"limit block I/O of {path}: {Errno.Describe(failure.ErrorNumber)}", failure);
        }

        return status.Type == FileMode.BlockDevice
            ? (status.DeviceMajor, status.DeviceMinor)
            : throw WherryException.Invalid($"limit block I/O of {path}: not a block device");
    }
}
