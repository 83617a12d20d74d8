using System.Text.Json;
using Wherry.Oci.Runtime;
using static Wherry.Runtime.Bundles.JsonFields;

namespace Wherry.Runtime.Bundles;

/// <summary>Reads the program's part of a bundle's configuration (config.md, "Process").</summary>
internal static class ProcessReader
{
    public static Process Process(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Process();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("terminal"u8))
            {
                value = HasValue(ref json) ? value with { Terminal = Bool(ref json) } : value;
            }
            else if (json.ValueTextEquals("consoleSize"u8))
            {
                value = HasValue(ref json) ? value with { ConsoleSize = ConsoleSize(ref json) } : value;
            }
            else if (json.ValueTextEquals("user"u8))
            {
                value = HasValue(ref json) ? value with { User = User(ref json) } : value;
            }
            else if (json.ValueTextEquals("args"u8))
            {
                value = HasValue(ref json) ? value with { Args = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("env"u8))
            {
                value = HasValue(ref json) ? value with { Env = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("cwd"u8))
            {
                value = HasValue(ref json) ? value with { Cwd = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("capabilities"u8))
            {
                value = HasValue(ref json) ? value with { Capabilities = Capabilities(ref json) } : value;
            }
            else if (json.ValueTextEquals("rlimits"u8))
            {
                value = HasValue(ref json) ? value with { Rlimits = List(ref json, Rlimit) } : value;
            }
            else if (json.ValueTextEquals("noNewPrivileges"u8))
            {
                value = HasValue(ref json) ? value with { NoNewPrivileges = Bool(ref json) } : value;
            }
            else if (json.ValueTextEquals("oomScoreAdj"u8))
            {
                value = HasValue(ref json) ? value with { OomScoreAdj = Int32(ref json) } : value;
            }
            else if (json.ValueTextEquals("apparmorProfile"u8))
            {
                value = HasValue(ref json) ? value with { ApparmorProfile = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("selinuxLabel"u8))
            {
                value = HasValue(ref json) ? value with { SelinuxLabel = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("scheduler"u8))
            {
                value = HasValue(ref json) ? value with { Scheduler = SchedulingReader.Scheduler(ref json) } : value;
            }
            else if (json.ValueTextEquals("ioPriority"u8))
            {
                value = HasValue(ref json) ? value with { IoPriority = SchedulingReader.IoPriority(ref json) } : value;
            }
            else if (json.ValueTextEquals("execCPUAffinity"u8))
            {
                value = HasValue(ref json) ? value with { ExecCpuAffinity = SchedulingReader.ExecCpuAffinity(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static ConsoleSize ConsoleSize(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new ConsoleSize(0, 0);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("height"u8))
            {
                value = HasValue(ref json) ? value with { Height = Int32(ref json) } : value;
            }
            else if (json.ValueTextEquals("width"u8))
            {
                value = HasValue(ref json) ? value with { Width = Int32(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static User User(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new User();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("uid"u8))
            {
                value = HasValue(ref json) ? value with { Uid = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("gid"u8))
            {
                value = HasValue(ref json) ? value with { Gid = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("umask"u8))
            {
                value = HasValue(ref json) ? value with { Umask = UInt32(ref json) } : value;
            }
            else if (json.ValueTextEquals("additionalGids"u8))
            {
                value = HasValue(ref json) ? value with { AdditionalGids = List(ref json, UInt32) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static Capabilities Capabilities(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Capabilities();
        while (Next(ref json))
        {
            if (json.ValueTextEquals("effective"u8))
            {
                value = HasValue(ref json) ? value with { Effective = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("bounding"u8))
            {
                value = HasValue(ref json) ? value with { Bounding = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("inheritable"u8))
            {
                value = HasValue(ref json) ? value with { Inheritable = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("permitted"u8))
            {
                value = HasValue(ref json) ? value with { Permitted = Texts(ref json) } : value;
            }
            else if (json.ValueTextEquals("ambient"u8))
            {
                value = HasValue(ref json) ? value with { Ambient = Texts(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }

    private static Rlimit Rlimit(ref Utf8JsonReader json)
    {
        Begin(ref json);
        var value = new Rlimit("", 0, 0);
        while (Next(ref json))
        {
            if (json.ValueTextEquals("type"u8))
            {
                value = HasValue(ref json) ? value with { Type = Text(ref json) } : value;
            }
            else if (json.ValueTextEquals("soft"u8))
            {
                value = HasValue(ref json) ? value with { Soft = UInt64(ref json) } : value;
            }
            else if (json.ValueTextEquals("hard"u8))
            {
                value = HasValue(ref json) ? value with { Hard = UInt64(ref json) } : value;
            }
            else
            {
                json.Skip();
            }
        }

        return value;
    }
}
