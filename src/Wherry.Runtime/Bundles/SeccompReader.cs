using System.Text.Json;
using Wherry.Oci.Runtime;
using static Wherry.Runtime.Bundles.JsonFields;

namespace Wherry.Runtime.Bundles;

/// <summary>Reads a bundle's system call rules (config-linux.md, "Seccomp").</summary>
internal static class SeccompReader
{
    public static SeccompConfig Seccomp(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new SeccompConfig();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("defaultAction"u8))
            {
                value = HasValue(ref json) ? value with { DefaultAction = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("defaultErrnoRet"u8))
            {
                value = HasValue(ref json) ? value with { DefaultErrnoRet = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("architectures"u8))
            {
                value = HasValue(ref json) ? value with { Architectures = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("flags"u8))
            {
                value = HasValue(ref json) ? value with { Flags = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("listenerPath"u8))
            {
                value = HasValue(ref json) ? value with { ListenerPath = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("listenerMetadata"u8))
            {
                value = HasValue(ref json) ? value with { ListenerMetadata = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("syscalls"u8))
            {
                value = HasValue(ref json) ? value with { Syscalls = List(ref json, Rule) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static SeccompRule Rule(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new SeccompRule();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("names"u8))
            {
                value = HasValue(ref json) ? value with { Names = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("action"u8))
            {
                value = HasValue(ref json) ? value with { Action = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("errnoRet"u8))
            {
                value = HasValue(ref json) ? value with { ErrnoRet = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("args"u8))
            {
                value = HasValue(ref json) ? value with { Args = List(ref json, Argument) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static SeccompArgument Argument(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new SeccompArgument(0, 0, 0, "");
        while (Next(ref json))
        {
            if (json.ValueTextEquals("index"u8))
            {
                value = HasValue(ref json) ? value with { Index = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("value"u8))
            {
                value = HasValue(ref json) ? value with { Value = UInt64(ref json) } : value;
            }
            else if (json.ValueTextEquals("valueTwo"u8))
            {
                value = HasValue(ref json) ? value with { ValueTwo = UInt64(ref json) } : value;
            }
            else if (json.ValueTextEquals("op"u8))
            {
                value = HasValue(ref json) ? value with { Op = Text(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }
}
