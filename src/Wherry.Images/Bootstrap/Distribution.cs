using System.Text.RegularExpressions;
using Wherry.Errors;

namespace Wherry.Images.Bootstrap;

/// <summary>A distribution that mmdebstrap can make a root file system of.</summary>
/// <param name="Id">As in os-release.</param>
/// <param name="KeyringName">Part of the names of its archive's key files.</param>
/// <param name="Keyring">The archive's keys on a host, and in the image.</param>
/// <param name="KeyringPackage">What to install where they are missing.</param>
/// <param name="Components">What is taken where the host's configuration does not say it, divided by commas.</param>
internal sealed partial record Distribution(string Id, string KeyringName, string Keyring, string KeyringPackage, string Components)
{
    internal static Distribution Debian { get; } = new("debian", "debian-archive", "/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring", "main");

    internal static Distribution Ubuntu { get; } = new("ubuntu", "ubuntu-archive", "/usr/share/keyrings/ubuntu-archive-keyring.gpg", "ubuntu-keyring", "main,universe");

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

    private static string Shown(string text) => text.Length > 64 ? text[..64] + "…" : text;

    [GeneratedRegex(@"\A[a-z][a-z0-9]{0,30}(?:-[a-z0-9]{1,15})?\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex SuiteGrammar();
}
