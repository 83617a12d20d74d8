using System.Globalization;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Systemd;

/// <summary>
/// Rules on devices as properties of a unit. systemd only knows lists of what is allowed, so what it is told may be
/// more than the rules allow, never less; the rules themselves are enforced by what is written into the cgroup.
/// </summary>
public static class UnitDevices
{
    /// <summary>Nothing where the rules deny nothing.</summary>
    /// <param name="rules">In order; the last that matches decides.</param>
    /// <param name="drivers">The text of /proc/devices: which class a major number is.</param>
    public static IReadOnlyList<UnitProperty> Of(IReadOnlyList<DeviceRule> rules, string drivers)
    {
        var allowed = new List<DeviceRule>();
        var allowsByDefault = true;
        foreach (var rule in rules)
        {
            if (IsEverything(rule))
            {
                allowsByDefault = rule.Allow;
                allowed.Clear();
            }
            else if (rule.Allow)
            {
                allowed.Add(rule);
            }
            else
            {
                allowed.RemoveAll(other => other.Type == rule.Type && other.Major == rule.Major && other.Minor == rule.Minor && IsWithin(other.Access, rule.Access));
            }
        }

        return allowsByDefault
            ? []
            : [new UnitProperty("DevicePolicy", "strict"), new UnitProperty("DeviceAllow", (IReadOnlyList<DeviceEntry>)[.. allowed.SelectMany(rule => Entries(rule, drivers)).Distinct()])];
    }

    /// <inheritdoc cref="Of(IReadOnlyList{DeviceRule}, string)"/>
    public static IReadOnlyList<UnitProperty> Of(IReadOnlyList<DeviceRule> rules) => Of(rules, FileSyscalls.TryReadText("/proc/devices") ?? "");

    private static IEnumerable<DeviceEntry> Entries(DeviceRule rule, string drivers)
    {
        var access = string.IsNullOrEmpty(rule.Access) ? "rwm" : rule.Access;
        return IsAny(rule.Type)
            ? [new DeviceEntry(Node("block", rule, drivers), access), new DeviceEntry(Node("char", rule, drivers), access)]
            : [new DeviceEntry(Node(rule.Type == "b" ? "block" : "char", rule, drivers), access)];
    }

    // Numbers that no driver has yet can't be named but by the whole class.
    private static string Node(string kind, DeviceRule rule, string drivers) => rule switch
    {
        { Major: >= 0, Minor: >= 0 } => string.Create(CultureInfo.InvariantCulture, $"/dev/{kind}/{rule.Major}:{rule.Minor}"),
        { Major: >= 0 } => $"{kind}-{Driver(kind, rule.Major.Value, drivers) ?? "*"}",
        _ => $"{kind}-*",
    };

    // "Character devices:", lines of a number and a name, then "Block devices:" and the same.
    private static string? Driver(string kind, long major, string drivers)
    {
        var inKind = false;
        foreach (var line in drivers.Split('\n'))
        {
            if (line.EndsWith(" devices:", StringComparison.Ordinal))
            {
                inKind = line.StartsWith(kind == "block" ? "Block" : "Character", StringComparison.Ordinal);
            }
            else if (inKind && line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var number, var name] && long.Parse(number, CultureInfo.InvariantCulture) == major)
            {
                return name;
            }
        }

        return null;
    }

    private static bool IsEverything(DeviceRule rule) => IsAny(rule.Type) && rule.Major is null or < 0 && rule.Minor is null or < 0
        && IsWithin("rwm", rule.Access);

    private static bool IsAny(string? type) => type is null or "" or "a";

    private static bool IsWithin(string? access, string? denied) => string.IsNullOrEmpty(denied) || (string.IsNullOrEmpty(access) ? "rwm" : access).All(denied.Contains);
}
