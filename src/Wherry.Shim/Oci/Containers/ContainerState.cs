using System.Text.Json;
using Wherry.Errors;
using Wherry.Oci.Runtime;
using Wherry.Shim.Oci.CommandLine;

namespace Wherry.Shim.Oci.Containers;

/// <summary>What is kept of a container between commands, beside a copy of its configuration.</summary>
public sealed record ContainerState
{
    public string Id { get; init; } = "";

    /// <summary>The configuration's.</summary>
    public string OciVersion { get; init; } = "";

    /// <summary>The bundle's directory, absolute.</summary>
    public string Bundle { get; init; } = "";

    public string Rootfs { get; init; } = "";

    /// <summary>Below the cgroup trees' roots.</summary>
    public string CgroupsPath { get; init; } = "";

    /// <summary>The systemd unit whose cgroup it is; empty where we made it.</summary>
    public string Unit { get; init; } = "";

    public DateTimeOffset Created { get; init; }

    /// <summary>0 until there is a first process.</summary>
    public int Pid { get; init; }

    /// <summary>The first process's, by which it is told from a stranger that gets its id.</summary>
    public ulong StartTime { get; init; }

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<Namespace> Namespaces { get; init; } = [];

    public bool OwnsPidNamespace => Namespaces.Any(ns => ns is { Type: "pid", Path: null or "" });

    /// <summary>The names are those of runc's state.json where it has the field, as tools look there.</summary>
    public byte[] ToJson() => JsonText.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("id", Id);
        json.WriteNumber("init_process_pid", Pid);
        json.WriteNumber("init_process_start", StartTime);
        json.WriteString("created", Created.UtcDateTime);
        json.WriteString("oci_version", OciVersion);
        json.WriteString("bundle", Bundle);
        json.WriteString("rootfs", Rootfs);
        json.WriteString("cgroups_path", CgroupsPath);
        json.WriteString("systemd_unit", Unit);
        JsonText.WriteMap(json, "annotations", Annotations);
        json.WriteStartObject("namespace_paths");
        foreach (var ns in Namespaces)
        {
            json.WriteString(ns.Type, ns.Path ?? "");
        }

        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <exception cref="WherryException">It is not what <see cref="ToJson"/> makes.</exception>
    public static ContainerState Parse(ReadOnlySpan<byte> text)
    {
        var state = new ContainerState();
        try
        {
            var json = new Utf8JsonReader(text);
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var name = json.GetString();
                json.Read();
                switch (name)
                {
                    case "id":
                        state = state with { Id = json.GetString()! };
                        break;
                    case "init_process_pid":
                        state = state with { Pid = json.GetInt32() };
                        break;
                    case "init_process_start":
                        state = state with { StartTime = json.GetUInt64() };
                        break;
                    case "created":
                        state = state with { Created = json.GetDateTimeOffset() };
                        break;
                    case "oci_version":
                        state = state with { OciVersion = json.GetString()! };
                        break;
                    case "bundle":
                        state = state with { Bundle = json.GetString()! };
                        break;
                    case "rootfs":
                        state = state with { Rootfs = json.GetString()! };
                        break;
                    case "cgroups_path":
                        state = state with { CgroupsPath = json.GetString()! };
                        break;
                    case "systemd_unit":
                        state = state with { Unit = json.GetString()! };
                        break;
                    case "annotations":
                        state = state with { Annotations = ReadMap(ref json) };
                        break;
                    case "namespace_paths":
                        state = state with { Namespaces = [.. ReadMap(ref json).Select(pair => new Namespace(pair.Key, pair.Value.Length == 0 ? null : pair.Value))] };
                        break;
                    default:
                        json.Skip();
                        break;
                }
            }

            return state;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw WherryException.System($"the container's {StateDirectory.StateFile} is damaged: {e.Message}", e);
        }
    }

    private static Dictionary<string, string> ReadMap(ref Utf8JsonReader json)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = json.GetString()!;
            json.Read();
            map[name] = json.GetString()!;
        }

        return map;
    }
}
