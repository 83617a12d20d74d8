namespace Wherry.Oci.Runtime;

/// <summary>
/// The devices every container has (config-linux.md, "Default Devices") and may therefore use: a configuration that
/// denies all devices and names none means all others.
/// </summary>
public static class DefaultDevices
{
    /// <summary>Nodes may be made of anything; used, those that every program expects.</summary>
    public static IReadOnlyList<DeviceRule> Rules { get; } =
    [
        new(Allow: true, "c", Access: "m"),
        new(Allow: true, "b", Access: "m"),
        new(Allow: true, "c", 1, 3, "rwm"), // /dev/null
        new(Allow: true, "c", 1, 5, "rwm"), // /dev/zero
        new(Allow: true, "c", 1, 7, "rwm"), // /dev/full
        new(Allow: true, "c", 1, 8, "rwm"), // /dev/random
        new(Allow: true, "c", 1, 9, "rwm"), // /dev/urandom
        new(Allow: true, "c", 5, 0, "rwm"), // /dev/tty
        new(Allow: true, "c", 5, 1, "rwm"), // /dev/console
        new(Allow: true, "c", 5, 2, "rwm"), // /dev/ptmx
        new(Allow: true, "c", 136, null, "rwm"), // /dev/pts/*
    ];

    /// <summary>Rules with those added that they lack; as they are where they deny nothing.</summary>
    public static IReadOnlyList<DeviceRule> AddTo(IReadOnlyList<DeviceRule> rules) =>
        rules.All(rule => rule.Allow) ? rules : [.. rules, .. Rules.Where(rule => !rules.Contains(rule))];
}
