using Wherry.Linux.Files;

namespace Wherry.Linux.AppArmor;

/// <summary>What the kernel says of AppArmor (apparmor(7)): whether it is there, which profiles it has, and whose this process is.</summary>
public static class AppArmorKernel
{
    /// <summary>What <see cref="OwnLabel"/> says of a process under no profile.</summary>
    public const string Unconfined = "unconfined";

    private const string Switch = "/sys/module/apparmor/parameters/enabled";
    private const string ProfileList = "/sys/kernel/security/apparmor/profiles";

    public static bool IsEnabled => FileSyscalls.TryReadText(Switch)?.StartsWith('Y') is true;

    /// <summary>Below /proc/thread-self; kernels before 5.8 have but one directory for all security modules.</summary>
    public static string AttributeDirectory => Directory.Exists("/proc/self/attr/apparmor") ? "attr/apparmor" : "attr";

    /// <summary>The profile this process is under, without its mode.</summary>
    public static string OwnLabel
    {
        get
        {
            var text = FileSyscalls.TryReadText($"/proc/self/{AttributeDirectory}/current")?.TrimEnd('\n', '\0') ?? Unconfined;
            return NameIn(text);
        }
    }

    /// <summary>Whether a profile is loaded.</summary>
    /// <param name="name">As the policy calls it.</param>
    /// <returns>Null where this process can't see the list: securityfs is not mounted, or it is not root.</returns>
    public static bool? HasProfile(string name)
    {
        try
        {
            return File.ReadLines(ProfileList).Any(line => NameIn(line) == name);
        }
        catch (Exception unseen) when (unseen is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // "name (enforce)"; a name may have spaces and parentheses of its own.
    private static string NameIn(string line)
    {
        var mode = line.EndsWith(')') ? line.LastIndexOf(" (", StringComparison.Ordinal) : -1;
        return mode < 0 ? line : line[..mode];
    }
}
