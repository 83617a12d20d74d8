using System.Globalization;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>
/// Where a caller under test keeps everything, on a short path, as some of it are sockets; and the cgroup it
/// puts its containers into. Both are gone afterwards.
/// </summary>
public sealed class CallerDirectory : IAsyncDisposable
{
    private static int LastNumber;

    private CallerDirectory(string caller)
    {
        Name = string.Create(CultureInfo.InvariantCulture, $"wh{caller}-{Environment.ProcessId}-{Interlocked.Increment(ref LastNumber)}");
        Directory.CreateDirectory(Root);
    }

    public string Name { get; }

    public string Root => $"/tmp/{Name}";

    public string CgroupParent => "/" + Name;

    /// <summary>A cgroup is left below the parent.</summary>
    public bool HasContainers => Directory.GetDirectories("/sys/fs/cgroup").Select(tree => tree + CgroupParent).Where(Directory.Exists).SelectMany(Directory.GetDirectories).Any();

    public static CallerDirectory Make(string caller)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "containers need root");
        return new CallerDirectory(caller);
    }

    public string File(string name) => Path.Combine(Root, name);

    /// <summary>Checks that no process, mount or cgroup of the caller's is left, and removes its files.</summary>
    public async ValueTask DisposeAsync()
    {
        await Eventually.TrueAsync(
            () => !System.IO.File.ReadLines("/proc/self/mountinfo").Any(line => line.Contains(Root + "/", StringComparison.Ordinal)),
            $"nothing is mounted below {Root}");
        var left = new List<string>();
        foreach (var parent in Directory.GetDirectories("/sys/fs/cgroup").Select(tree => tree + CgroupParent).Where(Directory.Exists))
        {
            // Podman never removes the cgroup of its monitors.
            await Eventually.TrueAsync(() => TryRemove(Path.Combine(parent, "conmon")), "the callers' monitors have ended");
            left.AddRange(Directory.GetDirectories(parent));
            TryRemove(parent);
        }

        await Command.RunAsync("rm", "-rf", Root);
        Assert.True(left.Count == 0, $"left behind: {string.Join(", ", left)}");
    }

    private static bool TryRemove(string cgroup)
    {
        try
        {
            Directory.Delete(cgroup);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
