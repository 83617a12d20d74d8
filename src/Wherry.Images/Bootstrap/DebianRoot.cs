using Wherry.Errors;

namespace Wherry.Images.Bootstrap;

/// <summary>Runs mmdebstrap: the distribution's own packages, checked with its own keys.</summary>
internal sealed class DebianRoot(Distribution distribution, string suite, TemporaryDirectory temporary, IProgress<ImageProgress>? progress)
{
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);
    private string _sources = "";
    private IReadOnlyList<PackageSource> _list = [];

    /// <summary>Checks what can be checked before the work and gives the suite's date.</summary>
    internal async Task<DateTimeOffset> PrepareAsync(CancellationToken cancel)
    {
        if (ChildProcess.Find("mmdebstrap") is null)
            throw WherryException.Unsupported("mmdebstrap is not installed on this host: apt-get install mmdebstrap");
        if (!File.Exists(distribution.Keyring))
            throw WherryException.Unsupported($"the archive keys of {distribution.Id} are missing ({distribution.Keyring}): apt-get install {distribution.KeyringPackage}");
        _list = DistributionSources.OfHost(distribution, suite);
        if (_list.Count == 0)
            _list = await DistributionSources.OfToolAsync(distribution, suite, temporary, cancel);
        _sources = Path.Combine(temporary.Path, "bootstrap.sources");
        await File.WriteAllTextAsync(_sources, string.Join('\n', _list.Select(source => source.Format(distribution.Keyring))), cancel);
        await ReadProxiesAsync(cancel);
        progress?.Report(new ImageProgress(null, $"Asking the mirrors for {distribution.Id} {suite}"));
        var date = await ReleaseDate.FetchAsync(suite, _sources, temporary, _environment, cancel);
        _environment["SOURCE_DATE_EPOCH"] = date.ToUnixTimeSeconds().ToString();
        return date;
    }

    /// <summary>Starts the work; the archive comes out of the child's output.</summary>
    internal ChildProcess Start()
    {
        _environment["TMPDIR"] = temporary.Make("root");
        string[] include = _list.Any(source => source.Uris.Contains("https://", StringComparison.Ordinal)) ? ["--include=ca-certificates"] : [];
        // It mounts /proc, /dev and /sys in its tree: in a mount namespace of its own they end with it, however it ends.
        string[] arguments =
        [
            "--mount", "--propagation", "private", ChildProcess.Find("mmdebstrap")!,
            "--variant=minbase", "--format=tar", $"--keyring={distribution.Keyring}", .. include, suite, "-", _sources,
        ];
        return ChildProcess.Start("unshare", arguments, _environment, temporary.Path, Report, "mmdebstrap");
    }

    private void Report(string line)
    {
        // "I: downloading packages with apt..." and a bar of percents that mean nothing off a terminal.
        var text = line.StartsWith("I: ", StringComparison.Ordinal) ? line[3..].TrimEnd('.') : "";
        if (text.Length > 0)
            progress?.Report(new ImageProgress(null, char.ToUpperInvariant(text[0]) + text[1..]));
    }

    /// <summary>mmdebstrap's apt does not read the host's configuration; the way out of the network is the host's all the same.</summary>
    private async Task ReadProxiesAsync(CancellationToken cancel)
    {
        foreach (var name in (IReadOnlyList<string>)["http_proxy", "https_proxy", "no_proxy"])
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
                _environment[name] = value;
        }
        if (ChildProcess.Find("apt-config") is null)
            return;
        var dump = await ChildProcess.CaptureAsync("apt-config", ["dump", "--format", "%f=%v%n", "Acquire::http::Proxy", "Acquire::https::Proxy"], _environment, temporary.Path, cancel);
        foreach (var line in dump.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = line.IndexOf('=');
            if (equals < 0 || line[(equals + 1)..] is not { Length: > 0 } proxy || proxy == "DIRECT")
                continue;
            if (line.StartsWith("Acquire::http::Proxy=", StringComparison.OrdinalIgnoreCase))
                _environment["http_proxy"] = proxy;
            else if (line.StartsWith("Acquire::https::Proxy=", StringComparison.OrdinalIgnoreCase))
                _environment["https_proxy"] = proxy;
        }
    }
}
