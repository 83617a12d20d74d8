using System.Text.Json;
using Wherry.Oci.Runtime;
using static Wherry.Runtime.Bundles.JsonFields;

namespace Wherry.Runtime.Bundles;

/// <summary>Reads a bundle's <c>config.json</c> (runtime-spec 1.2, config.md). Fields it does not know are passed over.</summary>
internal static class SpecReader
{
    public static Spec Spec(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Spec();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("ociVersion"u8))
            {
                value = HasValue(ref json) ? value with { OciVersion = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("process"u8))
            {
                value = HasValue(ref json) ? value with { Process = ProcessReader.Process(ref json) } : value;
            }
            else if (json.ValueTextEquals("root"u8))
            {
                value = HasValue(ref json) ? value with { Root = Root(ref json) } : value;
            }
            else if (json.ValueTextEquals("hostname"u8))
            {
                value = HasValue(ref json) ? value with { Hostname = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("domainname"u8))
            {
                value = HasValue(ref json) ? value with { Domainname = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("mounts"u8))
            {
                value = HasValue(ref json) ? value with { Mounts = List(ref json, Mount) } : value;
            }
            else if (json.ValueTextEquals("hooks"u8))
            {
                value = HasValue(ref json) ? value with { Hooks = Hooks(ref json) } : value;
            }
            else if (json.ValueTextEquals("annotations"u8))
            {
                value = HasValue(ref json) ? value with { Annotations = Map(ref json) } : value;
            }
            else if (json.ValueTextEquals("linux"u8))
            {
                value = HasValue(ref json) ? value with { Linux = LinuxReader.LinuxConfig(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static Root Root(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Root { Path = "" };
        while (Next(ref json))
        {
            if (json.ValueTextEquals("path"u8))
            {
                value = HasValue(ref json) ? value with { Path = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("readonly"u8))
            {
                value = HasValue(ref json) ? value with { Readonly = Bool(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static Mount Mount(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Mount { Destination = "" };
        while (Next(ref json))
        {
            if (json.ValueTextEquals("destination"u8))
            {
                value = HasValue(ref json) ? value with { Destination = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("type"u8))
            {
                value = HasValue(ref json) ? value with { Type = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("source"u8))
            {
                value = HasValue(ref json) ? value with { Source = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("options"u8))
            {
                value = HasValue(ref json) ? value with { Options = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("uidMappings"u8))
            {
                value = HasValue(ref json) ? value with { UidMappings = List(ref json, LinuxReader.IdMapping) } : value;
            }
            else if (json.ValueTextEquals("gidMappings"u8))
            {
                value = HasValue(ref json) ? value with { GidMappings = List(ref json, LinuxReader.IdMapping) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static Hooks Hooks(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Hooks();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("prestart"u8))
            {
                value = HasValue(ref json) ? value with { Prestart = List(ref json, Hook) } : value;
            }
            else if (json.ValueTextEquals("createRuntime"u8))
            {
                value = HasValue(ref json) ? value with { CreateRuntime = List(ref json, Hook) } : value;
            }
            else if (json.ValueTextEquals("createContainer"u8))
            {
                value = HasValue(ref json) ? value with { CreateContainer = List(ref json, Hook) } : value;
            }
            else if (json.ValueTextEquals("startContainer"u8))
            {
                value = HasValue(ref json) ? value with { StartContainer = List(ref json, Hook) } : value;
            }
            else if (json.ValueTextEquals("poststart"u8))
            {
                value = HasValue(ref json) ? value with { Poststart = List(ref json, Hook) } : value;
            }
            else if (json.ValueTextEquals("poststop"u8))
            {
                value = HasValue(ref json) ? value with { Poststop = List(ref json, Hook) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static Hook Hook(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Hook { Path = "" };
        while (Next(ref json))
        {
            if (json.ValueTextEquals("path"u8))
            {
                value = HasValue(ref json) ? value with { Path = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("args"u8))
            {
                value = HasValue(ref json) ? value with { Args = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("env"u8))
            {
                value = HasValue(ref json) ? value with { Env = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("timeout"u8))
            {
                value = HasValue(ref json) ? value with { Timeout = Int32(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }
}
