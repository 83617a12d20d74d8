using System.Text.Json;
using Wherry.Oci.Runtime;
using static Wherry.Runtime.Bundles.JsonFields;

namespace Wherry.Runtime.Bundles;

/// <summary>Reads the rarer parts of a bundle's Linux configuration, each an object of its own.</summary>
internal static class LinuxExtrasReader
{
    public static TimeOffset TimeOffset(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new TimeOffset(0, 0);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("secs"u8))
            {
                value = HasValue(ref json) ? value with { Secs = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("nanosecs"u8))
            {
                value = HasValue(ref json) ? value with { Nanosecs = UInt32(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    public static Personality Personality(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Personality("", []);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("domain"u8))
            {
                value = HasValue(ref json) ? value with { Domain = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("flags"u8))
            {
                value = HasValue(ref json) ? value with { Flags = Texts(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    public static NetDevice NetDevice(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new NetDevice((string?)null);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("name"u8))
            {
                value = HasValue(ref json) ? value with { Name = Text(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    public static IntelRdt IntelRdt(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new IntelRdt();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("closID"u8))
            {
                value = HasValue(ref json) ? value with { ClosID = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("schemata"u8))
            {
                value = HasValue(ref json) ? value with { Schemata = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("l3CacheSchema"u8))
            {
                value = HasValue(ref json) ? value with { L3CacheSchema = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("memBwSchema"u8))
            {
                value = HasValue(ref json) ? value with { MemBwSchema = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("enableMonitoring"u8))
            {
                value = HasValue(ref json) ? value with { EnableMonitoring = Bool(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    public static MemoryPolicy MemoryPolicy(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new MemoryPolicy("", null, []);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("mode"u8))
            {
                value = HasValue(ref json) ? value with { Mode = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("nodes"u8))
            {
                value = HasValue(ref json) ? value with { Nodes = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("flags"u8))
            {
                value = HasValue(ref json) ? value with { Flags = Texts(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }
}
