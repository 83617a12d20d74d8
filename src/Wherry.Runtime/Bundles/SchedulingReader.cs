using System.Text.Json;
using Wherry.Oci.Runtime;
using static Wherry.Runtime.Bundles.JsonFields;

namespace Wherry.Runtime.Bundles;

/// <summary>Reads how a program is to be scheduled (config.md, "Linux Process").</summary>
internal static class SchedulingReader
{
    public static Scheduler Scheduler(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Scheduler();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("policy"u8))
            {
                value = HasValue(ref json) ? value with { Policy = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("nice"u8))
            {
                value = HasValue(ref json) ? value with { Nice = Int32(ref json) } : value;
            }
            else if (json.ValueTextEquals("priority"u8))
            {
                value = HasValue(ref json) ? value with { Priority = Int32(ref json) } : value;
            }
            else if (json.ValueTextEquals("flags"u8))
            {
                value = HasValue(ref json) ? value with { Flags = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("runtime"u8))
            {
                value = HasValue(ref json) ? value with { Runtime = UInt64(ref json) } : value;
            }
            else if (json.ValueTextEquals("deadline"u8))
            {
                value = HasValue(ref json) ? value with { Deadline = UInt64(ref json) } : value;
            }
            else if (json.ValueTextEquals("period"u8))
            {
                value = HasValue(ref json) ? value with { Period = UInt64(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    public static IoPriority IoPriority(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new IoPriority("", 0);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("class"u8))
            {
                value = HasValue(ref json) ? value with { Class = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("priority"u8))
            {
                value = HasValue(ref json) ? value with { Priority = Int32(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    public static ExecCpuAffinity ExecCpuAffinity(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new ExecCpuAffinity(null, null);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("initial"u8))
            {
                value = HasValue(ref json) ? value with { Initial = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("final"u8))
            {
                value = HasValue(ref json) ? value with { Final = Text(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }
}
