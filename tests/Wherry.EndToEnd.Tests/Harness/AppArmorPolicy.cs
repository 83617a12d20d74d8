namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>The kernel's AppArmor profiles.</summary>
public static class AppArmorPolicy
{
    private const string Directory = "/sys/kernel/security/apparmor";

    public static bool IsThere => File.Exists($"{Directory}/profiles");

    public static bool Has(string profile) => File.ReadLines($"{Directory}/profiles").Any(line => line.StartsWith(profile + " (", StringComparison.Ordinal));

    public static void Require() => Assert.SkipUnless(IsThere, "this kernel has no AppArmor; the virtual machine's has");

    public static async Task LoadAsync(string text) =>
        (await Command.RunAsync("apparmor_parser", ["--replace", "--skip-cache"], environment: null, text, Command.DefaultTimeout)).Succeeded();

    /// <summary>Makes the kernel forget a profile: its processes go on under none.</summary>
    public static async Task RemoveAsync(string profile) => (await Command.ShellAsync($"printf %s '{profile}' > {Directory}/.remove")).Succeeded();
}
