using Wherry.Oci.Runtime;
using Wherry.Runtime.Cgroups;
using Wherry.Runtime.Checks;

namespace Wherry.Runtime.Systemd;

/// <summary>
/// Limits as properties of a unit. They are written into the cgroup's files as well, exactly; but systemd must know
/// them too, or it would put its own in their place whenever it sets a unit's cgroup up anew (at a reload, say).
/// </summary>
/// <param name="isUnified">The host's tree is v2 alone, for which the properties have other names.</param>
public sealed partial class UnitLimits(bool isUnified)
{
    private const ulong Infinity = ulong.MaxValue;
    private const ulong DefaultPeriod = 100_000;
    private const ulong MicrosecondsPerSecond = 1_000_000;

    // What systemd counts processor time by: a hundredth of a processor.
    private const ulong QuotaStep = 10_000;

    private readonly List<UnitProperty> _properties = [];

    /// <summary>Only what is asked for; what systemd has no property for is left to the files.</summary>
    public IReadOnlyList<UnitProperty> Of(Resources? resources)
    {
        if (resources is not null)
        {
            Memory(resources.Memory);
            Cpu(resources.Cpu);
            Processors(resources.Cpu);
            if (resources.Pids is { Limit: not 0 } pids)
            {
                Add("TasksMax", Bytes(pids.Limit));
            }

            if (resources.BlockIo?.Weight is { } weight and not 0)
            {
                Add(isUnified ? "IOWeight" : "BlockIOWeight", isUnified ? (ulong)CgroupLimits.IoWeight(weight) : weight);
            }

            if (isUnified)
            {
                Files(resources.Unified);
            }
        }

        return _properties;
    }

    private void Memory(MemoryLimits? limits)
    {
        if (limits?.Limit is { } limit and not 0)
        {
            Add(isUnified ? "MemoryMax" : "MemoryLimit", Bytes(limit));
        }

        if (!isUnified)
        {
            return;
        }

        if (limits?.Reservation is { } reservation and not 0)
        {
            Add("MemoryLow", Bytes(reservation));
        }

        if ((limits?.Limit is -1 && limits.Swap is null or 0 ? -1 : limits?.Swap) is { } swap and not 0)
        {
            // As runc: memory without a limit means swap without one.
            Add("MemorySwapMax", Bytes(swap < 0 ? swap : swap - Math.Max(limits!.Limit ?? 0, 0)));
        }
    }

    private void Cpu(CpuLimits? limits)
    {
        if (limits?.Shares is { } shares and not 0 && limits.Idle is not 1)
        {
            Add(isUnified ? "CPUWeight" : "CPUShares", isUnified ? (ulong)CgroupLimits.WeightOfShares(shares) : shares);
        }

        if (limits?.Period is { } given and not 0)
        {
            Add("CPUQuotaPeriodUSec", given);
        }

        if (limits?.Quota is { } quota and not 0)
        {
            Quota(quota, limits.Period is null or 0 ? DefaultPeriod : limits.Period.Value);
        }
    }

    private void Quota(long quota, ulong period) =>
        Add("CPUQuotaPerSecUSec", quota < 0 ? Infinity : RoundUp((UInt128)quota * MicrosecondsPerSecond / period));

    private void Processors(CpuLimits? limits)
    {
        if (!isUnified)
        {
            return;
        }

        if (!string.IsNullOrEmpty(limits?.Cpus))
        {
            Add("AllowedCPUs", Mask(limits.Cpus, "linux.resources.cpu.cpus"));
        }

        if (!string.IsNullOrEmpty(limits?.Mems))
        {
            Add("AllowedMemoryNodes", Mask(limits.Mems, "linux.resources.cpu.mems"));
        }
    }

    // Lowest numbers first, in the lowest bits; as long as it must be.
    private static byte[] Mask(string list, string property)
    {
        var words = NumberLists.Parse(list, property);
        var bytes = new byte[words.Length * sizeof(ulong)];
        for (var i = 0; i < words.Length; i++)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(i * sizeof(ulong)), words[i]);
        }

        return bytes.AsSpan().TrimEnd((byte)0).ToArray();
    }

    private static ulong RoundUp(UInt128 value)
    {
        var rounded = (value + QuotaStep - 1) / QuotaStep * QuotaStep;
        return rounded >= Infinity ? Infinity : (ulong)rounded;
    }

    private static ulong Bytes(long value) => value < 0 ? Infinity : (ulong)value;

    private void Add(string name, object value)
    {
        // The files that are named come last, and count then.
        _properties.RemoveAll(property => property.Name == name);
        _properties.Add(new UnitProperty(name, value));
    }
}
