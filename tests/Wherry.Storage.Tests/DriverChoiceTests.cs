using Wherry.Errors;
using Wherry.Linux.Mounts;
using Wherry.Storage.Drivers;
using Wherry.Storage.Layers;

namespace Wherry.Storage.Tests;

/// <summary>Which driver an empty data root gets, and what is said where the one that was asked for can't be had.</summary>
public sealed class DriverChoiceTests : IDisposable
{
    private readonly TestTree _tree = new();

    public void Dispose() => _tree.Dispose();

    [Theory]
    [InlineData(true, "overlay btrfs fuse-overlayfs", "overlay")]
    [InlineData(true, "btrfs fuse-overlayfs", "btrfs")]
    [InlineData(true, "fuse-overlayfs", "fuse-overlayfs")]
    [InlineData(true, "", "vfs")]
    [InlineData(false, "overlay fuse-overlayfs", "overlay")]
    [InlineData(false, "fuse-overlayfs", "vfs")]
    public void The_best_driver_that_works_is_chosen_and_the_programs_overlay_only_without_root(bool isOrdinaryUser, string working, string chosen) =>
        Assert.Equal(chosen, DriverChoice.FirstThatWorks(isOrdinaryUser, name => working.Split(' ').Contains(name)));

    [Fact]
    public void The_program_is_not_tried_where_the_kernel_can()
    {
        var tried = new List<string>();
        DriverChoice.FirstThatWorks(isOrdinaryUser: true, name =>
        {
            tried.Add(name);
            return name == "overlay";
        });
        Assert.Equal(["overlay"], tried);
    }

    [Fact]
    public void The_drivers_record_is_kept_and_an_unknown_driver_is_refused()
    {
        Assert.SkipWhen(FuseOverlay.FindProgram() is null, "this host has no fuse-overlayfs");
        var data = _tree.Make("data");
        Assert.Equal("fuse-overlayfs", LayerStore.Open(data, "fuse-overlayfs").DriverName);
        Assert.Equal("fuse-overlayfs\n", File.ReadAllText(Path.Combine(data, "layers/driver")));
        var failure = Assert.Throws<WherryException>(() => LayerStore.Open(data, "aufs"));
        Assert.Contains("use overlay, fuse-overlayfs, btrfs or vfs", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_that_can_not_serve_says_why_and_leaves_no_process()
    {
        Assert.SkipWhen(FuseOverlay.FindProgram() is null, "this host has no fuse-overlayfs");
        var directory = _tree.Make("lower");
        var failure = Assert.Throws<WherryException>(() => FuseOverlay.Create(FuseOverlay.FindProgram()!, [directory, Path.Combine(_tree.Root, "not-there")], null, null));
        Assert.Equal(ErrorKind.Unsupported, failure.Kind);
        Assert.Contains("can't make an overlay", failure.Message, StringComparison.Ordinal);
        Assert.Contains("not-there", failure.Message, StringComparison.Ordinal);
        var named = Assert.Throws<WherryException>(() => FuseOverlay.Create(FuseOverlay.FindProgram()!, [_tree.Make("a:b"), directory], null, null));
        Assert.Contains("a:b", named.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(FuseProcesses(), command => command.Contains("not-there", StringComparison.Ordinal) || command.Contains("a:b", StringComparison.Ordinal));
    }

    [Fact]
    public void The_program_ends_with_its_mount_and_has_nothing_of_ours_open()
    {
        Assert.SkipWhen(FuseOverlay.FindProgram() is null, "this host has no fuse-overlayfs");
        var mark = $"lower-{Guid.NewGuid():N}";

        // A data root's name may have what the program's options take for theirs.
        var (lower, upper, work) = (_tree.Make($"a,b\\c/{mark}"), _tree.Make("a,b\\c/upper"), _tree.Make("a,b\\c/work"));
        using var ours = new FileStream(Path.Combine(_tree.Root, "ours"), FileMode.Create);
        using (FuseOverlay.Create(FuseOverlay.FindProgram()!, [lower], upper, work))
        {
            var process = Assert.Single(FuseProcesses(), command => command.Contains(mark, StringComparison.Ordinal)).Split(' ')[0];
            Assert.DoesNotContain(Directory.EnumerateFiles($"/proc/{process}/fd"), descriptor => new FileInfo(descriptor).LinkTarget == ours.Name);
            Assert.DoesNotContain(File.ReadAllLines("/proc/self/mountinfo"), line => line.Contains("fuse-overlayfs", StringComparison.Ordinal) && line.Contains(_tree.Root, StringComparison.Ordinal));
        }

        var patience = 500;
        while (FuseProcesses().Any(command => command.Contains(mark, StringComparison.Ordinal)))
        {
            Assert.True(patience-- > 0, "the program lives on without its mount");
            Thread.Sleep(20);
        }
    }

    // Ended processes that nobody has collected yet have no command line.
    private static List<string> FuseProcesses()
    {
        var found = new List<string>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                var command = File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ');
                if (command.StartsWith("fuse-overlayfs ", StringComparison.Ordinal))
                    found.Add($"{Path.GetFileName(process)} {command}");
            }
            catch (IOException)
            {
                // Ended meanwhile.
            }
        }

        return found;
    }
}
