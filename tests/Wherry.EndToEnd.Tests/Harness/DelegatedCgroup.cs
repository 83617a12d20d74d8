using System.Globalization;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>A cgroup of the unified tree that belongs to an ordinary user (cgroups(7), "Delegation"), as systemd gives one to a service with Delegate= and User=.</summary>
public sealed class DelegatedCgroup : IDisposable
{
    private const string Tree = "/sys/fs/cgroup";

    private DelegatedCgroup(string directory) => DirectoryPath = directory;

    public string DirectoryPath { get; }

    public static bool IsUnified => File.Exists($"{Tree}/cgroup.controllers");

    public static async Task<DelegatedCgroup> MakeAsync(int uid)
    {
        var directory = $"{Tree}/wherry-e2e-{uid.ToString(CultureInfo.InvariantCulture)}";
        await GiveAsync(directory, uid);
        return new DelegatedCgroup(directory);
    }

    /// <summary>Makes a cgroup the user's, with the controllers that there are.</summary>
    public static async Task GiveAsync(string directory, int uid) => (await Command.ShellAsync(
        $"for c in cpu memory pids io cpuset; do echo +$c > {Tree}/cgroup.subtree_control; done; mkdir -p '{directory}' && cd '{directory}' && chown {uid.ToString(CultureInfo.InvariantCulture)} . cgroup.procs cgroup.threads cgroup.subtree_control")).Succeeded();

    /// <summary>The cgroups below, as paths from it.</summary>
    public IReadOnlyList<string> Below() =>
        [.. System.IO.Directory.EnumerateDirectories(DirectoryPath, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(DirectoryPath, path)).Order(StringComparer.Ordinal)];

    public void Dispose()
    {
        // Deepest first: there is no other way to remove cgroups.
        foreach (var directory in Below().OrderByDescending(path => path.Length).Select(path => Path.Combine(DirectoryPath, path)).Append(DirectoryPath))
        {
            System.IO.Directory.Delete(directory);
        }
    }
}
