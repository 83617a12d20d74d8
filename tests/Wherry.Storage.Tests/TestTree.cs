using System.Diagnostics;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Tests;

/// <summary>A directory of a test's own, and the programs that look at it.</summary>
public sealed class TestTree : IDisposable
{
    public TestTree() => Directory.CreateDirectory(Root);

    public string Root { get; } = Path.Combine(Path.GetTempPath(), "wherry-storage-" + Guid.NewGuid().ToString("N"));

    public string Make(string name)
    {
        var path = Path.Combine(Root, name);
        Directory.CreateDirectory(path);
        return path;
    }

    /// <summary>A btrfs of its own, which the caller unmounts; skips the test where the kernel has none.</summary>
    public string MountBtrfs()
    {
        if (!File.ReadAllText("/proc/filesystems").Contains("btrfs", StringComparison.Ordinal))
            Assert.Skip("this kernel has no btrfs");
        var image = Path.Combine(Root, "btrfs.img");
        Run("truncate", "-s", "256M", image);
        Run("mkfs.btrfs", "-q", image);
        var place = Make("btrfs");
        Run("mount", "-o", "loop", image, place);
        return place;
    }

    /// <summary>All that a tree is: kinds, modes, owners, sizes, times, links, devices, link counts and contents.</summary>
    public static string Describe(string directory, bool times = true)
    {
        var format = times ? "%P %y %m %U %G %s %T@ %l %n\\n" : "%P %y %m %U %G %l\\n";
        var list = Run("sh", "-c", $"cd '{directory}' && find . -mindepth 1 \\( -type d -printf '%P d %m %U %G {(times ? "%T@" : "")}\\n' -o -printf '{format}' \\) | LC_ALL=C sort");
        return list + Run("sh", "-c", $"cd '{directory}' && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum");
    }

    public static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {errors.Result}");
        return output;
    }

    /// <returns>Null where the program succeeded, else what it said.</returns>
    public static string? TryRun(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : errors.Trim();
    }

    public void Dispose() => FileTree.RemoveTree(Root);
}
