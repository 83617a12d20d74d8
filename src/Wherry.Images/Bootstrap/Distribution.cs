using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Wherry.Errors;

namespace Wherry.Images.Bootstrap;

/// <summary>A distribution that mmdebstrap can make a root file system of.</summary>
/// <param name="Id">As in os-release.</param>
/// <param name="KeyringName">Part of the names of its archive's key files.</param>
/// <param name="Keyring">The archive's keys on a host, and in the image.</param>
/// <param name="KeyringPackage">What to install where they are missing.</param>
internal sealed partial record Distribution(string Id, string KeyringName, string Keyring, string KeyringPackage)
{
    internal static Distribution Debian { get; } = new("debian", "debian-archive", "/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring");

    internal static Distribution Ubuntu { get; } = new("ubuntu", "ubuntu-archive", "/usr/share/keyrings/ubuntu-archive-keyring.gpg", "ubuntu-keyring");

    /// <summary>Reads <c>debian:SUITE</c> or <c>ubuntu:SUITE</c>. The suite ends up in addresses, paths and arguments, so it is held to what suites look like.</summary>
    internal static (Distribution Distribution, string Suite) Parse(string name)
    {
        var colon = name.IndexOf(':');
        var (id, suite) = colon < 0 ? (name, "") : (name[..colon], name[(colon + 1)..]);
        var distribution = id switch
        {
            "debian" => Debian,
            "ubuntu" => Ubuntu,
            _ => throw WherryException.Invalid($"can't bootstrap \"{Shown(name)}\": choose busybox, debian:SUITE or ubuntu:SUITE"),
        };
        if (suite.Length == 0)
            throw WherryException.Invalid($"name a suite of {id}, such as {(id == "debian" ? "debian:bookworm" : "ubuntu:noble")}");
        return SuiteGrammar().IsMatch(suite)
            ? (distribution, suite)
            : throw WherryException.Invalid($"\"{Shown(suite)}\" is not a suite's name: suites are lower-case words such as bookworm or noble");
    }

    internal IReadOnlyList<PackageSource> DefaultSources(string suite, bool isRolling)
    {
        if (Id == "debian")
        {
            return isRolling
                ? [new PackageSource("http://deb.debian.org/debian", [suite], "main")]
                : [new PackageSource("http://deb.debian.org/debian", [suite, suite + "-updates"], "main"),
                    new PackageSource("http://deb.debian.org/debian-security", [suite + "-security"], "main")];
        }
        return RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86
            ? [new PackageSource("http://archive.ubuntu.com/ubuntu", [suite, suite + "-updates"], "main universe"),
                new PackageSource("http://security.ubuntu.com/ubuntu", [suite + "-security"], "main universe")]
            : [new PackageSource("http://ports.ubuntu.com/ubuntu-ports", [suite, suite + "-updates", suite + "-security"], "main universe")];
    }

    private static string Shown(string text) => text.Length > 64 ? text[..64] + "…" : text;

    [GeneratedRegex(@"\A[a-z][a-z0-9]{0,30}(?:-[a-z0-9]{1,15})?\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex SuiteGrammar();
}
