using System.Globalization;

namespace Wherry.EndToEnd.Tests;

/// <summary><c>--storage-opt size=</c>: how much a container can write over its image, on a disk with project quotas, or on btrfs.</summary>
public sealed class RootSizeTests : IAsyncLifetime
{
    private readonly string _directory = $"/var/tmp/wherry-e2e/sized-{Environment.ProcessId}-{Client.NewName()}";

    public ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_directory);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await Command.RunAsync("umount", "-l", _directory);
        Directory.Delete(_directory);
        File.Delete(_directory + ".img");
        GC.SuppressFinalize(this);
    }

    // Either client with either file system would say the same twice.
    [Theory]
    [InlineData("ext4", Clients.Docker)]
    [InlineData("xfs", Clients.Wherry)]
    public async Task A_container_writes_as_much_as_it_may_and_others_do_not_notice(string system, string kind)
    {
        await using var engine = await StartAsync(system);
        var client = engine.Client(kind);
        var small = await client.DetachedAsync("--storage-opt", "size=16m", "busybox", "sleep", "300");
        var large = await client.DetachedAsync("--storage-opt", "size=32m", "busybox", "sleep", "300");
        Assert.Equal("map[size:16m]", await client.FieldAsync(small, "{{.HostConfig.StorageOpt}}"));
        Assert.Equal("16384", await SizeAsync(client, small));
        Assert.Equal("32768", await SizeAsync(client, large));

        await FillAsync(client, small);
        (await client.RunAsync("exec", large, "dd", "if=/dev/zero", "of=/file", "bs=1M", "count=20")).Succeeded();
        await FillAsync(client, large);
        (await client.RunAsync("run", "--rm", "busybox", "dd", "if=/dev/zero", "of=/file", "bs=1M", "count=48")).Succeeded();

        // What it gives back it can use again.
        (await client.RunAsync("exec", small, "sh", "-c", "rm /full && sync && dd if=/dev/zero of=/again bs=1M count=8")).Succeeded();
        await client.RemoveAsync(small, large);
    }

    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs")]
    public async Task Privileges_and_copies_are_no_way_round_it(string system)
    {
        await using var engine = await StartAsync(system);
        var docker = engine.Client(Clients.Docker);
        var id = await docker.DetachedAsync("--privileged", "--storage-opt", "size=16m", "busybox", "sleep", "300");
        await FillAsync(docker, id);
        (await docker.RunAsync("exec", id, "rm", "/full")).Succeeded();
        var big = _directory + "/big";
        await File.WriteAllBytesAsync(big, new byte[24 << 20], TestContext.Current.CancellationToken);
        foreach (var client in new[] { docker, engine.Client(Clients.Wherry) })
        {
            Assert.NotEqual(0, (await client.RunAsync("cp", big, $"{id}:/big")).ExitCode);
            (await client.RunAsync("exec", id, "rm", "-f", "/big")).Succeeded();
        }

        // A mapped root is somebody else on the disk, and in the same project.
        var mapped = await engine.Client(Clients.Wherry).DetachedAsync("--userns", "auto", "--storage-opt", "size=16m", "busybox", "sleep", "300");
        await FillAsync(docker, mapped);
        await docker.RemoveAsync(id, mapped);
    }

    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs")]
    public async Task It_holds_over_the_engines_death_and_its_number_is_free_after_removal(string system)
    {
        await using var engine = await StartAsync(system);
        var docker = engine.Client(Clients.Docker);
        var id = await docker.DetachedAsync("--storage-opt", "size=16m", "busybox", "sleep", "300");
        var directory = Path.Combine(engine.DataRoot, "snapshots", id);
        var project = await ProjectAsync(directory);
        Assert.NotEqual("0", project);
        await engine.RestartAsync();
        await FillAsync(docker, id);
        (await docker.RunAsync("restart", "-t", "0", id)).Succeeded();
        Assert.Equal("16384", await SizeAsync(docker, id));
        Assert.Equal(project, await ProjectAsync(directory));

        var other = await docker.TextAsync("create", "--storage-opt", "size=16m", "busybox");
        Assert.NotEqual(project, await ProjectAsync(Path.Combine(engine.DataRoot, "snapshots", other)));
        var before = await UsedAsync();
        await docker.RemoveAsync(id, other);
        Assert.InRange(await UsedAsync(), 0, before - (12 << 10));
        Assert.DoesNotContain(await LimitedProjectsAsync(), line => line.StartsWith('#' + project, StringComparison.Ordinal));
    }

    [Fact]
    public async Task On_btrfs_too_a_container_writes_as_much_as_it_may()
    {
        await using var engine = await StartAsync("btrfs");
        var client = engine.Client(Clients.Docker);
        var small = await client.DetachedAsync("--storage-opt", "size=16m", "busybox", "sleep", "300");
        var large = await client.DetachedAsync("--storage-opt", "size=32m", "busybox", "sleep", "300");
        await FillAsync(client, small);
        (await client.RunAsync("exec", large, "dd", "if=/dev/zero", "of=/file", "bs=1M", "count=20")).Succeeded();
        await engine.RestartAsync();
        await FillAsync(client, large);
        (await client.RunAsync("run", "--rm", "busybox", "dd", "if=/dev/zero", "of=/file", "bs=1M", "count=48")).Succeeded();
        await client.RemoveAsync(small, large);
    }

    [Fact]
    public async Task The_engine_can_have_a_size_for_all_and_a_container_its_own()
    {
        await using var engine = await StartAsync("ext4", "--storage-opt", "size=24m");
        var docker = engine.Client(Clients.Docker);
        string[] size = ["sh", "-c", "df -k / | tail -1 | awk '{print $2}'"];
        Assert.Equal("24576", await docker.TextAsync(["run", "--rm", "busybox", .. size]));
        Assert.Equal("16384", await docker.TextAsync(["run", "--rm", "--storage-opt", "size=16m", "busybox", .. size]));
        Assert.True(long.Parse(await docker.TextAsync(["run", "--rm", "--storage-opt", "size=0", "busybox", .. size]), CultureInfo.InvariantCulture) > 100_000);
    }

    [Theory, BothClients]
    public async Task Where_the_file_system_or_the_driver_can_not_it_is_refused_with_what_would_help(string kind)
    {
        await using (var engine = await PrivateEngine.StartInAsync(await MountAsync("ext4", "") + "/data"))
        {
            await BaseImages.LoadAsync(engine, BaseImages.Busybox);
            var client = engine.Client(kind);
            (await client.RunAsync("run", "--rm", "--storage-opt", "size=1g", "busybox", "true")).Failed(125, "prjquota");
            (await client.RunAsync("run", "--rm", "--storage-opt", "size=many", "busybox", "true")).Failed(125, "many");
            (await client.RunAsync("run", "--rm", "--storage-opt", "size=5k", "busybox", "true")).Failed(125, "too small");
            (await client.RunAsync("run", "--rm", "--storage-opt", "colour=red", "busybox", "true")).Failed(125, "colour");
            Assert.Equal("", await client.TextAsync("ps", "-aq"));
            Assert.False(Directory.Exists(Path.Combine(engine.DataRoot, "snapshots")));
        }

        await using var copies = await PrivateEngine.StartNewAsync("--storage-driver", "vfs");
        await BaseImages.LoadAsync(copies, BaseImages.Busybox);
        (await copies.Client(kind).RunAsync("create", "--storage-opt", "size=1g", "busybox")).Refused("vfs");
    }

    private async Task<PrivateEngine> StartAsync(string system, params string[] options)
    {
        var engine = await PrivateEngine.StartInAsync(await MountAsync(system, system switch { "xfs" => "pquota", "btrfs" => "", _ => "prjquota" }) + "/data", [.. system == "btrfs" ? ["--storage-driver", "btrfs"] : Array.Empty<string>(), .. options]);
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        return engine;
    }

    private async Task<string> MountAsync(string system, string option)
    {
        (await Command.RunAsync("truncate", "-s", "512M", _directory + ".img")).Succeeded();
        (await Command.RunAsync($"mkfs.{system}", ["-q", .. system == "ext4" ? ["-O", option.Length > 0 ? "project,quota" : "^project"] : Array.Empty<string>(), _directory + ".img"])).Succeeded();
        var mount = await Command.RunAsync("mount", "-o", $"loop,{option}", _directory + ".img", _directory);
        Assert.SkipWhen(mount.ExitCode != 0, $"this kernel does not mount {system} with project quotas; the virtual machine's does: {mount.Error}");
        return _directory;
    }

    private static async Task<string> SizeAsync(Client client, string id) => await client.TextAsync("exec", id, "sh", "-c", "df -k / | tail -1 | awk '{print $2}'");

    /// <summary>Writes more than fits, and sees that it was stopped in time.</summary>
    private static async Task FillAsync(Client client, string id)
    {
        var fill = await client.RunAsync("exec", id, "dd", "if=/dev/zero", "of=/full", "bs=1M", "count=40");
        Assert.NotEqual(0, fill.ExitCode);
        Assert.Matches("(?i)quota exceeded|no space left", fill.Error);
        Assert.InRange(long.Parse(await client.TextAsync("exec", id, "stat", "-c", "%s", "/full"), CultureInfo.InvariantCulture), 1 << 20, 32 << 20);
    }

    private static async Task<string> ProjectAsync(string directory) =>
        (await Command.RunAsync("lsattr", "-dp", directory)).Succeeded().Text.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];

    private async Task<string[]> LimitedProjectsAsync() => (await Command.RunAsync("repquota", "-Pn", _directory)).Succeeded().Lines;

    /// <summary>Kilobytes.</summary>
    private async Task<long> UsedAsync() => long.Parse((await Command.ShellAsync($"sync; df -k {_directory} | tail -1 | awk '{{print $3}}'")).Text, CultureInfo.InvariantCulture);
}
