using System.Text;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>What an engine that has no containers must not have on the host either.</summary>
public static class Leaks
{
    /// <summary>Waits for the kernel's own clean-up, then reports everything that stayed.</summary>
    public static async Task AssertNoneAsync(PrivateEngine engine)
    {
        var left = await FindAsync(engine);
        // Network namespaces end in batches, a moment after their last process.
        for (var tries = 0; left.Length > 0 && tries < 40; tries++)
        {
            await Task.Delay(100, CancellationToken.None);
            left = await FindAsync(engine);
        }

        Assert.True(left.Length == 0, $"left behind:\n{left}\nthe engine's log:\n{engine.Log()}");
    }

    private static async Task<string> FindAsync(PrivateEngine engine)
    {
        var left = new StringBuilder();
        foreach (var mount in Mounts(engine))
        {
            left.AppendLine($"mount {mount}");
        }

        foreach (var process in Processes(engine))
        {
            left.AppendLine($"process {process}");
        }

        foreach (var cgroup in Cgroups(engine))
        {
            left.AppendLine($"cgroup {cgroup}");
        }

        foreach (var link in await LinksAsync(engine))
        {
            left.AppendLine($"link {link}");
        }

        foreach (var rule in await RuleElementsAsync(engine))
        {
            left.AppendLine($"nftables element {rule}");
        }

        foreach (var directory in Directories(engine))
        {
            left.AppendLine($"directory {directory}");
        }

        return left.ToString();
    }

    public static IEnumerable<string> Mounts(PrivateEngine engine) =>
        File.ReadLines("/proc/self/mountinfo")
            .Select(line => line.Split(' ')[4])
            .Where(point => point.StartsWith(engine.DataRoot + "/", StringComparison.Ordinal) || point.StartsWith(engine.ExecRoot + "/", StringComparison.Ordinal));

    /// <summary>Supervisors of this engine, told by the files they hold; containers die with theirs.</summary>
    public static IEnumerable<string> Processes(PrivateEngine engine)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            string found;
            try
            {
                if (File.ReadAllText(Path.Combine(process, "comm")).Trim() != "wherry-shim")
                {
                    continue;
                }

                var held = Directory.EnumerateFiles(Path.Combine(process, "fd")).Select(file => new FileInfo(file).LinkTarget ?? "");
                var mine = held.Any(target => target.StartsWith(engine.ExecRoot + "/", StringComparison.Ordinal) || target.StartsWith(engine.DataRoot + "/", StringComparison.Ordinal));
                found = mine ? $"{Path.GetFileName(process)}: {File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ')}" : "";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue; // ended meanwhile
            }

            if (found.Length > 0)
            {
                yield return found;
            }
        }
    }

    /// <summary>Everything below the engine's own cgroup, in every hierarchy.</summary>
    public static IEnumerable<string> Cgroups(PrivateEngine engine) =>
        Hierarchies()
            .Select(hierarchy => Path.Combine(hierarchy, engine.CgroupParent))
            .Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories);

    public static async Task<IReadOnlyList<string>> LinksAsync(PrivateEngine engine)
    {
        if (!Directory.Exists($"/sys/class/net/{engine.Bridge}"))
        {
            return [];
        }

        return (await Command.RunAsync("ip", "-o", "link", "show", "master", engine.Bridge)).Lines;
    }

    /// <summary>Published ports and whatever else of the rules belongs to one container.</summary>
    public static async Task<IReadOnlyList<string>> RuleElementsAsync(PrivateEngine engine)
    {
        var listing = await Command.RunAsync("nft", "list", "ruleset");
        var inTable = false;
        var elements = new List<string>();
        foreach (var line in listing.Lines)
        {
            if (line.StartsWith("table ", StringComparison.Ordinal))
            {
                inTable = line.Split(' ')[2] == engine.Table;
            }
            else if (inTable && line.Contains("elements = {", StringComparison.Ordinal))
            {
                elements.Add(line.Trim());
            }
        }

        return elements;
    }

    public static IEnumerable<string> Directories(PrivateEngine engine) =>
        new[] { Path.Combine(engine.DataRoot, "containers"), Path.Combine(engine.ExecRoot, "containers"), Path.Combine(engine.DataRoot, "volumes") }
            .Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories);

    private static IEnumerable<string> Hierarchies()
    {
        yield return "/sys/fs/cgroup";
        foreach (var hierarchy in Directory.EnumerateDirectories("/sys/fs/cgroup"))
        {
            yield return hierarchy;
        }
    }
}
