using System.Text.Json;
using Wherry.Oci.Runtime;
using static Wherry.Runtime.Bundles.JsonFields;

namespace Wherry.Runtime.Bundles;

/// <summary>Reads the Linux part of a bundle's configuration (config-linux.md).</summary>
internal static class LinuxReader
{
    public static LinuxConfig LinuxConfig(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new LinuxConfig();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("uidMappings"u8))
            {
                value = HasValue(ref json) ? value with { UidMappings = List(ref json, IdMapping) } : value;
            }
            else if (json.ValueTextEquals("gidMappings"u8))
            {
                value = HasValue(ref json) ? value with { GidMappings = List(ref json, IdMapping) } : value;
            }
            else if (json.ValueTextEquals("namespaces"u8))
            {
                value = HasValue(ref json) ? value with { Namespaces = List(ref json, Namespace) } : value;
            }
            else if (json.ValueTextEquals("devices"u8))
            {
                value = HasValue(ref json) ? value with { Devices = List(ref json, Device) } : value;
            }
            else if (json.ValueTextEquals("cgroupsPath"u8))
            {
                value = HasValue(ref json) ? value with { CgroupsPath = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("resources"u8))
            {
                value = HasValue(ref json) ? value with { Resources = ResourcesReader.Resources(ref json) } : value;
            }
            else if (json.ValueTextEquals("sysctl"u8))
            {
                value = HasValue(ref json) ? value with { Sysctl = Map(ref json) } : value;
            }
            else if (json.ValueTextEquals("rootfsPropagation"u8))
            {
                value = HasValue(ref json) ? value with { RootfsPropagation = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("maskedPaths"u8))
            {
                value = HasValue(ref json) ? value with { MaskedPaths = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("readonlyPaths"u8))
            {
                value = HasValue(ref json) ? value with { ReadonlyPaths = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("mountLabel"u8))
            {
                value = HasValue(ref json) ? value with { MountLabel = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("timeOffsets"u8))
            {
                value = HasValue(ref json) ? value with { TimeOffsets = Map(ref json, LinuxExtrasReader.TimeOffset) } : value;
            }
            else if (json.ValueTextEquals("personality"u8))
            {
                value = HasValue(ref json) ? value with { Personality = LinuxExtrasReader.Personality(ref json) } : value;
            }
            else if (json.ValueTextEquals("netDevices"u8))
            {
                value = HasValue(ref json) ? value with { NetDevices = Map(ref json, LinuxExtrasReader.NetDevice) } : value;
            }
            else if (json.ValueTextEquals("intelRdt"u8))
            {
                value = HasValue(ref json) ? value with { IntelRdt = LinuxExtrasReader.IntelRdt(ref json) } : value;
            }
            else if (json.ValueTextEquals("memoryPolicy"u8))
            {
                value = HasValue(ref json) ? value with { MemoryPolicy = LinuxExtrasReader.MemoryPolicy(ref json) } : value;
            }
            else if (json.ValueTextEquals("seccomp"u8))
            {
                value = HasValue(ref json) ? value with { Seccomp = SeccompReader.Seccomp(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    public static IdMapping IdMapping(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new IdMapping(0, 0, 0);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("containerID"u8))
            {
                value = HasValue(ref json) ? value with { ContainerID = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("hostID"u8))
            {
                value = HasValue(ref json) ? value with { HostID = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("size"u8))
            {
                value = HasValue(ref json) ? value with { Size = UInt32(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static Namespace Namespace(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Namespace("");
        while (Next(ref json))
        {
            if (json.ValueTextEquals("type"u8))
            {
                value = HasValue(ref json) ? value with { Type = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("path"u8))
            {
                value = HasValue(ref json) ? value with { Path = Text(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static Device Device(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Device { Path = "", Type = "" };
        while (Next(ref json))
        {
            if (json.ValueTextEquals("path"u8))
            {
                value = HasValue(ref json) ? value with { Path = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("type"u8))
            {
                value = HasValue(ref json) ? value with { Type = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("major"u8))
            {
                value = HasValue(ref json) ? value with { Major = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("minor"u8))
            {
                value = HasValue(ref json) ? value with { Minor = Int64(ref json) } : value;
            }
            else if (json.ValueTextEquals("fileMode"u8))
            {
                value = HasValue(ref json) ? value with { FileMode = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("uid"u8))
            {
                value = HasValue(ref json) ? value with { Uid = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("gid"u8))
            {
                value = HasValue(ref json) ? value with { Gid = UInt32(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }
}
