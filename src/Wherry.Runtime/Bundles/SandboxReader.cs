using System.Text.Json;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Bundles.JsonFields;

namespace Wherry.Runtime.Bundles;

/// <summary>Reads a stage's part of a bundle's <c>sandbox.json</c>; what concerns streams and logs, the supervisor has been told already.</summary>
internal static class SandboxReader
{
    public static SandboxOptions SandboxOptions(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new SandboxOptions();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("rootfs"u8))
            {
                value = HasValue(ref json) ? value with { Rootfs = List(ref json, RootfsMount) } : value;
            }
            else if (json.ValueTextEquals("user"u8))
            {
                value = HasValue(ref json) ? value with { User = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("additionalGroups"u8))
            {
                value = HasValue(ref json) ? value with { AdditionalGroups = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("init"u8))
            {
                value = HasValue(ref json) ? value with { Init = Bool(ref json) } : value;
            }
            else if (json.ValueTextEquals("copyUps"u8))
            {
                value = HasValue(ref json) ? value with { CopyUps = List(ref json, VolumeCopyUp) } : value;
            }
            else if (json.ValueTextEquals("seccompCache"u8))
            {
                value = HasValue(ref json) ? value with { SeccompCache = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("sharedMemoryOf"u8))
            {
                value = HasValue(ref json) ? value with { SharedMemoryOf = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("noSuidRoot"u8))
            {
                value = HasValue(ref json) ? value with { NoSuidRoot = Bool(ref json) } : value;
            }
            else if (json.ValueTextEquals("askedByName"u8))
            {
                value = HasValue(ref json) ? value with { AskedByName = Texts(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static RootfsMount RootfsMount(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new RootfsMount { Type = "", LowerDirectories = [] };
        while (Next(ref json))
        {
            if (json.ValueTextEquals("type"u8))
            {
                value = HasValue(ref json) ? value with { Type = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("lowerDirectories"u8))
            {
                value = HasValue(ref json) ? value with { LowerDirectories = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("upperDirectory"u8))
            {
                value = HasValue(ref json) ? value with { UpperDirectory = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("program"u8))
            {
                value = HasValue(ref json) ? value with { Program = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("idMapped"u8))
            {
                value = HasValue(ref json) ? value with { IdMapped = Bool(ref json) } : value;
            }
            else if (json.ValueTextEquals("workDirectory"u8))
            {
                value = HasValue(ref json) ? value with { WorkDirectory = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("options"u8))
            {
                value = HasValue(ref json) ? value with { Options = Texts(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static VolumeCopyUp VolumeCopyUp(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new VolumeCopyUp("", "");
        while (Next(ref json))
        {
            if (json.ValueTextEquals("volumeDirectory"u8))
            {
                value = HasValue(ref json) ? value with { VolumeDirectory = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("containerPath"u8))
            {
                value = HasValue(ref json) ? value with { ContainerPath = Text(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }
}
