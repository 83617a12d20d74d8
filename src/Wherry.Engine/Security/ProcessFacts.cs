using System.Globalization;
using Wherry.Engine.Specs;

namespace Wherry.Engine.Security;

/// <summary>What the kernel says of a container's first process: what was really done, rather than asked.</summary>
internal sealed record ProcessFacts
{
    private static readonly string[] Types = ["user", "pid", "mnt", "net", "ipc", "uts", "cgroup", "time"];

    /// <summary>As the host sees it.</summary>
    public required uint Uid { get; init; }

    public required uint Gid { get; init; }

    /// <summary>The bounding set: what no program in it can exceed.</summary>
    public required IReadOnlySet<string> Capabilities { get; init; }

    public bool NoNewPrivileges { get; init; }

    public bool IsFiltered { get; init; }

    public required IReadOnlyDictionary<string, bool> OwnNamespaces { get; init; }

    public required IReadOnlyList<string> UserMappings { get; init; }

    /// <summary>AppArmor's profile or SELinux's label; empty without either.</summary>
    public string Label { get; init; } = "";

    /// <summary>Null when the process has gone.</summary>
    public static ProcessFacts? TryRead(int pid)
    {
        try
        {
            var status = File.ReadLines($"/proc/{pid}/status")
                .Select(line => line.Split(":\t", 2))
                .Where(fields => fields.Length == 2)
                .ToDictionary(fields => fields[0], fields => fields[1].Trim(), StringComparer.Ordinal);
            return new ProcessFacts
            {
                Uid = First(status["Uid"]),
                Gid = First(status["Gid"]),
                Capabilities = CapabilityNames.FromMask(ulong.Parse(status["CapBnd"], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)),
                NoNewPrivileges = status.GetValueOrDefault("NoNewPrivs") == "1",
                IsFiltered = status.GetValueOrDefault("Seccomp") == "2",
                OwnNamespaces = Types.Where(type => File.Exists($"/proc/self/ns/{type}")).ToDictionary(type => type, type => NamespaceOf(pid, type) != NamespaceOf(Environment.ProcessId, type), StringComparer.Ordinal),
                UserMappings = [.. File.ReadLines($"/proc/{pid}/uid_map").Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))],
                Label = LabelOf(pid),
            };
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static uint First(string fields) => uint.Parse(fields.Split('\t')[0], NumberStyles.None, CultureInfo.InvariantCulture);

    private static string? NamespaceOf(int pid, string type) => new FileInfo($"/proc/{pid}/ns/{type}").LinkTarget;

    private static string LabelOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/attr/current").Trim('\n', '\0');
        }
        catch (IOException)
        {
            // No security module that labels processes.
            return "";
        }
    }
}
