using System.Globalization;

namespace Wherry.Networking.Uplink;

/// <summary>A program that leads out of a network namespace by opening ordinary sockets for what is sent there.</summary>
/// <param name="Name">Its executable's name.</param>
/// <param name="Resolver">The address at which it passes questions on to the host's own name servers.</param>
/// <param name="Arguments">For a namespace's path and the descriptor whose end is to be its own.</param>
public sealed record UplinkProgram(string Name, string Resolver, Func<string, int, IReadOnlyList<string>> Arguments)
{
    /// <summary>Of a virtual link that has no wire: as long as the program takes.</summary>
    public const int Mtu = 65520;

    private const string LinkName = "tap0";

    /// <summary>In the order in which they are preferred; all that can be asked of the host's own loopback is refused.</summary>
    public static IReadOnlyList<UplinkProgram> All { get; } =
    [
        new("slirp4netns", "10.0.2.3", static (path, lifeline) =>
        [
            "--configure", $"--mtu={Text(Mtu)}", "--disable-host-loopback", $"--exit-fd={Text(lifeline)}", "--netns-type=path", path, LinkName,
        ]),
        new("pasta", "169.254.1.1", static (path, _) =>
        [
            // Root here is the user, whom the namespace's keeper belongs to; left to itself it would become nobody.
            "--runas", "0:0", "--netns-only", "--config-net", "--foreground", "--quiet", "--mtu", Text(Mtu), "--no-map-gw", "--dns-forward", "169.254.1.1",
            "-t", "none", "-u", "none", "-T", "none", "-U", "none", "--ns-ifname", LinkName, "--netns", path,
        ]),
    ];

    /// <summary>Where the first of them that is installed lies.</summary>
    public static (UplinkProgram Program, string Path)? Find(Func<string, bool> exists)
    {
        foreach (var program in All)
        {
            foreach (var directory in (ReadOnlySpan<string>)["/usr/local/bin/", "/usr/bin/", "/bin/"])
            {
                if (exists(directory + program.Name))
                {
                    return (program, directory + program.Name);
                }
            }
        }

        return null;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
