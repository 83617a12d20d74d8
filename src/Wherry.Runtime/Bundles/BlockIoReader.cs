using System.Text.Json;
using Wherry.Oci.Runtime;
using static Wherry.Runtime.Bundles.JsonFields;

namespace Wherry.Runtime.Bundles;

/// <summary>Reads limits that are set device by device: block I/O, huge pages, network, RDMA.</summary>
internal static class BlockIoReader
{
    public static BlockIoLimits BlockIoLimits(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new BlockIoLimits();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("weight"u8))
            {
                value = HasValue(ref json) ? value with { Weight = UInt16(ref json) } : value;
            }
            else if (json.ValueTextEquals("leafWeight"u8))
            {
                value = HasValue(ref json) ? value with { LeafWeight = UInt16(ref json) } : value;
            }
            else if (json.ValueTextEquals("weightDevice"u8))
            {
                value = HasValue(ref json) ? value with { WeightDevice = List(ref json, WeightDevice) } : value;
            }
            else if (json.ValueTextEquals("throttleReadBpsDevice"u8))
            {
                value = HasValue(ref json) ? value with { ThrottleReadBpsDevice = List(ref json, ThrottleDevice) } : value;
            }
            else if (json.ValueTextEquals("throttleWriteBpsDevice"u8))
            {
                value = HasValue(ref json) ? value with { ThrottleWriteBpsDevice = List(ref json, ThrottleDevice) } : value;
            }
            else if (json.ValueTextEquals("throttleReadIOPSDevice"u8))
            {
                value = HasValue(ref json) ? value with { ThrottleReadIopsDevice = List(ref json, ThrottleDevice) } : value;
            }
            else if (json.ValueTextEquals("throttleWriteIOPSDevice"u8))
            {
                value = HasValue(ref json) ? value with { ThrottleWriteIopsDevice = List(ref json, ThrottleDevice) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    public static HugepageLimit HugepageLimit(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new HugepageLimit("", 0);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("pageSize"u8))
            {
                value = HasValue(ref json) ? value with { PageSize = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("limit"u8))
            {
                value = HasValue(ref json) ? value with { Limit = UInt64(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    public static NetworkLimits NetworkLimits(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new NetworkLimits();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("classID"u8))
            {
                value = HasValue(ref json) ? value with { ClassID = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("priorities"u8))
            {
                value = HasValue(ref json) ? value with { Priorities = List(ref json, InterfacePriority) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    public static RdmaLimit RdmaLimit(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new RdmaLimit(null, null);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("hcaHandles"u8))
            {
                value = HasValue(ref json) ? value with { HcaHandles = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("hcaObjects"u8))
            {
                value = HasValue(ref json) ? value with { HcaObjects = UInt32(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static WeightDevice WeightDevice(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new WeightDevice(0, 0, null, null);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("major"u8))
            {
                value = HasValue(ref json) ? value with { Major = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("minor"u8))
            {
                value = HasValue(ref json) ? value with { Minor = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("weight"u8))
            {
                value = HasValue(ref json) ? value with { Weight = UInt16(ref json) } : value;
            }
            else if (json.ValueTextEquals("leafWeight"u8))
            {
                value = HasValue(ref json) ? value with { LeafWeight = UInt16(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static ThrottleDevice ThrottleDevice(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new ThrottleDevice(0, 0, 0);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("major"u8))
            {
                value = HasValue(ref json) ? value with { Major = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("minor"u8))
            {
                value = HasValue(ref json) ? value with { Minor = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("rate"u8))
            {
                value = HasValue(ref json) ? value with { Rate = UInt64(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static InterfacePriority InterfacePriority(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new InterfacePriority("", 0);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("name"u8))
            {
                value = HasValue(ref json) ? value with { Name = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("priority"u8))
            {
                value = HasValue(ref json) ? value with { Priority = UInt32(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }
}
