using System.Text;
using Wherry.Errors;

namespace Wherry.Images.Bootstrap;

/// <summary>A distribution's package source, as a stanza of apt's <c>.sources</c> files.</summary>
/// <param name="Uris">Mirrors.</param>
/// <param name="Suites">Such as <c>bookworm bookworm-updates</c>.</param>
/// <param name="Components">Such as <c>main</c>.</param>
internal sealed record PackageSource(string Uris, IReadOnlyList<string> Suites, string Components)
{
    internal string Format(string keyring) =>
        $"Types: deb\nURIs: {Uris}\nSuites: {string.Join(' ', Suites)}\nComponents: {Components}\nSigned-By: {keyring}\n";
}

/// <summary>
/// Where a distribution's packages come from: this host's own mirrors when it runs that distribution, else those that
/// mmdebstrap knows. No mirror's name stands here.
/// </summary>
internal static class DistributionSources
{
    private static readonly string[] Pockets = ["", "-updates", "-security"];

    /// <summary>Suites that move all the time and so have no pockets of updates.</summary>
    private static readonly string[] Rolling = ["sid", "unstable", "experimental"];

    private static readonly string[] KnownComponents =
        ["main", "contrib", "non-free", "non-free-firmware", "restricted", "universe", "multiverse"];

    /// <summary>The host's own; empty where its apt has none for the distribution.</summary>
    internal static IReadOnlyList<PackageSource> OfHost(Distribution distribution, string suite, string aptDirectory = "/etc/apt", string osRelease = "/etc/os-release")
    {
        var host = ReadOsRelease(osRelease);
        if (host.GetValueOrDefault("ID") == distribution.Id && host.GetValueOrDefault("VERSION_CODENAME") is { Length: > 0 } codename)
        {
            var sources = ReadAll(aptDirectory)
                .Select(source => Translate(source, distribution, codename, suite))
                .OfType<PackageSource>()
                .ToList();
            if (sources.Any(source => source.Suites.Contains(suite, StringComparer.Ordinal)))
                return sources;
        }
        return [];
    }

    /// <summary>Those mmdebstrap would take by itself. It writes them down before it asks any of them, and is stopped there.</summary>
    internal static async Task<IReadOnlyList<PackageSource>> OfToolAsync(Distribution distribution, string suite, TemporaryDirectory temporary, CancellationToken cancel)
    {
        var list = Path.Combine(temporary.Path, "tool.list");
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["TMPDIR"] = temporary.Make("ask"), ["LIST"] = list };
        string[] arguments =
        [
            "--mount", "--propagation", "private", ChildProcess.Find("mmdebstrap")!, "--quiet", "--variant=custom", "--format=null",
            $"--components={distribution.Components}", "--setup-hook=cp \"$1/etc/apt/sources.list\" \"$LIST\" && exit 1", suite, "/dev/null",
        ];
        try
        {
            await ChildProcess.CaptureAsync("unshare", arguments, environment, temporary.Path, cancel);
        }
        catch (ChildFailedException) when (File.Exists(list))
        {
            // As it was told.
        }
        var sources = File.Exists(list) ? ReadLines(await File.ReadAllTextAsync(list, cancel)).ToList() : [];
        return sources.Count > 0
            ? [.. sources.Select(source => new PackageSource(source.Uris, source.Suites, source.Components))]
            : throw WherryException.Unsupported($"mmdebstrap knows no mirror for {distribution.Id} {suite}: name one in /etc/apt/sources.list of a host that runs {distribution.Id}");
    }

    /// <summary>The host's source for the suite asked for; null when it is not the distribution's own.</summary>
    private static PackageSource? Translate(HostSource source, Distribution distribution, string codename, string suite)
    {
        // Others' repositories often use the distribution's suite names, but have their own keys and components.
        if (source.SignedBy.Length > 0 && !source.SignedBy.Contains(distribution.KeyringName, StringComparison.Ordinal))
            return null;
        var components = source.Components.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (components.Length == 0 || components.Except(KnownComponents, StringComparer.Ordinal).Any())
            return null;
        var pockets = Pockets.Where(pocket => source.Suites.Contains(codename + pocket, StringComparer.Ordinal)).ToList();
        if (suite != codename && Rolling.Contains(suite, StringComparer.Ordinal))
            pockets.RemoveAll(pocket => pocket.Length > 0);
        return pockets.Count == 0 ? null : new PackageSource(source.Uris, [.. pockets.Select(pocket => suite + pocket)], string.Join(' ', components));
    }

    private sealed record HostSource(string Uris, IReadOnlyList<string> Suites, string Components, string SignedBy);

    private static IEnumerable<HostSource> ReadAll(string aptDirectory)
    {
        var files = new List<string>();
        var single = Path.Combine(aptDirectory, "sources.list");
        if (File.Exists(single))
            files.Add(single);
        var parts = Path.Combine(aptDirectory, "sources.list.d");
        if (Directory.Exists(parts))
            files.AddRange(Directory.EnumerateFiles(parts).Order(StringComparer.Ordinal));
        foreach (var file in files)
        {
            var found = Path.GetExtension(file) switch
            {
                ".list" => ReadLines(File.ReadAllText(file)),
                ".sources" => ReadStanzas(File.ReadAllText(file)),
                _ => [],
            };
            foreach (var source in found)
                yield return source;
        }
    }

    /// <summary><c>deb [options] uri suite component…</c></summary>
    private static IEnumerable<HostSource> ReadLines(string text)
    {
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.Split('#')[0].Trim();
            if (!line.StartsWith("deb ", StringComparison.Ordinal) && !line.StartsWith("deb\t", StringComparison.Ordinal))
                continue;
            line = line[3..].Trim();
            var signedBy = "";
            if (line.StartsWith('[') && line.IndexOf(']') is var close and > 0)
            {
                signedBy = line[1..close].Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    .FirstOrDefault(option => option.StartsWith("signed-by=", StringComparison.OrdinalIgnoreCase)) ?? "";
                line = line[(close + 1)..].Trim();
            }
            var words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 3)
                yield return new HostSource(words[0], [words[1]], string.Join(' ', words[2..]), signedBy);
        }
    }

    private static IEnumerable<HostSource> ReadStanzas(string text)
    {
        foreach (var stanza in text.Replace("\r", "", StringComparison.Ordinal).Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            var last = "";
            foreach (var line in stanza.Split('\n').Where(line => !line.StartsWith('#') && line.Trim().Length > 0))
            {
                if (char.IsWhiteSpace(line[0]) && last.Length > 0)
                    fields[last] += " " + line.Trim();
                else if (line.IndexOf(':') is var colon and > 0)
                    fields[last = line[..colon].Trim()] = line[(colon + 1)..].Trim();
            }
            if (!Words(fields, "Types").Contains("deb", StringComparer.Ordinal) || fields.GetValueOrDefault("Enabled") is "no" or "false")
                continue;
            yield return new HostSource(
                string.Join(' ', Words(fields, "URIs")),
                Words(fields, "Suites"),
                string.Join(' ', Words(fields, "Components")),
                fields.GetValueOrDefault("Signed-By") ?? "");
        }
    }

    private static string[] Words(Dictionary<string, string> fields, string name) =>
        fields.GetValueOrDefault(name)?.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static Dictionary<string, string> ReadOsRelease(string path)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(path))
            return values;
        foreach (var line in File.ReadAllLines(path, Encoding.UTF8))
        {
            if (line.IndexOf('=') is var equals and > 0)
                values[line[..equals]] = line[(equals + 1)..].Trim('"', '\'');
        }
        return values;
    }
}
