using System.Globalization;
using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Cgroups;

/// <summary>Device rules in the two forms the kernel takes.</summary>
public static class DeviceRules
{
    /// <summary>A line for v1's devices.allow and devices.deny.</summary>
    public static string Text(DeviceRule rule)
    {
        var type = rule.Type is null or "" ? "a" : rule.Type;
        return type == "a" && rule.Major is null or < 0 && rule.Minor is null or < 0
            ? "a"
            : $"{type} {Number(rule.Major)}:{Number(rule.Minor)} {AccessText(rule)}";
    }

    /// <summary>The rules as v2's filter program takes them, last first: the last that matches decides.</summary>
    public static IReadOnlyList<DeviceMatch> Compile(IReadOnlyList<DeviceRule> rules) => [.. rules.Reverse().Select(rule => new DeviceMatch(
        rule.Allow,
        rule.Type switch
        {
            null or "" or "a" => DeviceKind.Any,
            "b" => DeviceKind.Block,
            "c" or "u" => DeviceKind.Character,
            _ => throw WherryException.Invalid($"device rule: unknown type \"{rule.Type}\""),
        },
        rule.Major is >= 0 ? (uint)rule.Major : null,
        rule.Minor is >= 0 ? (uint)rule.Minor : null,
        Access(AccessText(rule))))];

    // "a" is not the specification's, but callers of runc deny with it; what allows has to say what.
    private static string AccessText(DeviceRule rule) => string.IsNullOrEmpty(rule.Access) || (!rule.Allow && rule.Access.Contains('a')) ? "rwm" : rule.Access;

    private static DeviceAccess Access(string text) => text.Aggregate(DeviceAccess.None, (access, letter) => access | letter switch
    {
        'r' => DeviceAccess.Read,
        'w' => DeviceAccess.Write,
        'm' => DeviceAccess.MakeNode,
        _ => throw WherryException.Invalid($"device rule: unknown access \"{text}\""),
    });

    private static string Number(long? number) => number is >= 0 ? number.Value.ToString(CultureInfo.InvariantCulture) : "*";
}
