using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wherry.Networking.Files;

/// <summary>
/// Composes a container's <c>/etc/resolv.conf</c> from the host's (resolv.conf(5)). A server on the host's loopback can't be
/// reached from inside, and one with an IPv6 address can't either on an IPv4 network, so these are left out.
/// </summary>
public static class ResolvConf
{
    private const string HostPath = "/etc/resolv.conf";

    // systemd-resolved's list of the real servers behind its stub on 127.0.0.53.
    private const string ResolvedPath = "/run/systemd/resolve/resolv.conf";

    /// <summary>Used, as in Docker, where the host has no server a container could reach.</summary>
    private static readonly string[] FallbackServers = ["8.8.8.8", "8.8.4.4"];

    /// <summary>The host's own configuration; the real servers where a local stub hides them; empty when there is none.</summary>
    public static string HostText()
    {
        var text = ReadOrEmpty(HostPath);
        var servers = Servers(text).ToList();
        return servers is ["127.0.0.53"] && ReadOrEmpty(ResolvedPath) is { Length: > 0 } real ? real : text;
    }

    /// <summary>The container's text, given the host's and what the user asked for; each non-empty list replaces the host's setting of its kind.</summary>
    /// <param name="hostText">The host's resolv.conf.</param>
    /// <param name="servers"><c>--dns</c>; taken as given, loopback or not.</param>
    /// <param name="search"><c>--dns-search</c>; a single <c>.</c> means no search list.</param>
    /// <param name="options"><c>--dns-option</c>.</param>
    public static string ForContainer(
        string hostText, IReadOnlyList<string>? servers = null, IReadOnlyList<string>? search = null, IReadOnlyList<string>? options = null)
    {
        var text = new StringBuilder();
        if (servers is not { Count: > 0 })
        {
            servers = Servers(hostText).Where(IsReachable).ToArray();
            if (servers.Count == 0)
            {
                servers = FallbackServers;
            }
        }

        foreach (var server in servers)
        {
            text.Append("nameserver ").Append(server).Append('\n');
        }

        // Of several search (or domain) lines the last one counts.
        search = search is { Count: > 0 } ? search : Words(hostText, "search", "domain").LastOrDefault() ?? [];
        if (search.Count > 0 && search is not ["."])
        {
            text.Append("search ").AppendJoin(' ', search).Append('\n');
        }

        options = options is { Count: > 0 } ? options : Words(hostText, "options").SelectMany(words => words).ToArray();
        if (options.Count > 0)
        {
            text.Append("options ").AppendJoin(' ', options).Append('\n');
        }

        return text.ToString();
    }

    private static IEnumerable<string> Servers(string text) =>
        Words(text, "nameserver").Where(words => words.Length > 0).Select(words => words[0]);

    private static bool IsReachable(string server) =>
        IPAddress.TryParse(server, out var address) && address.AddressFamily == AddressFamily.InterNetwork
        && !IPAddress.IsLoopback(address) && !address.Equals(IPAddress.Any);

    private static IEnumerable<string[]> Words(string text, params string[] keywords)
    {
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0 && keywords.Contains(words[0], StringComparer.Ordinal))
            {
                yield return words[1..];
            }
        }
    }

    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
