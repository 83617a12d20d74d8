using System.Security.Cryptography;

namespace Wherry.EndToEnd.Tests;

/// <summary>The engine is killed while images move: nothing half-made shows, its space is given back, and the second try works.</summary>
public sealed class ImageCrashTests(EngineFixture fixture) : EngineTests(fixture)
{
    private const int Megabyte = 1 << 20;

    [Fact]
    public async Task A_pull_cut_off_by_a_kill_goes_on_where_it_was()
    {
        const int size = 48 * Megabyte;
        await using var registry = await DebianRegistry.StartAsync();
        await using var proxy = new FaultProxy(registry.Host);
        var image = await MakeImageAsync(registry.Host, size);
        await Wherry.TextAsync("push", image);
        await Wherry.TextAsync("rmi", image);
        var before = await EntriesAsync();
        var name = image.Replace(registry.Host, proxy.Host, StringComparison.Ordinal);
        proxy.Faults = request => FaultProxy.IsBlob(request) ? new Fault { BytesPerSecond = 12 * Megabyte } : null;

        for (var part = 1; part <= 2; part++)
        {
            using var pulling = Wherry.Start("pull", name);
            await Eventually.TrueAsync(() => IngestBytes() > part * size / 4, "a part of the layer has come", 60);
            await Engine.KillAsync();
            await pulling.WaitForExitAsync(TestContext.Current.CancellationToken);
            await Engine.StartAsync();

            (await Wherry.RunAsync("image", "inspect", name)).Refused("No such image");
            Assert.Equal(before, await EntriesAsync());
        }

        proxy.Faults = static _ => null;
        await Wherry.TextAsync("pull", name);

        // What was in buffers at each kill came again; everything else came once.
        Assert.InRange(proxy.BlobBytes, size, size + (12 * Megabyte));
        Assert.Equal(size.ToString(System.Globalization.CultureInfo.InvariantCulture), await Wherry.TextAsync("run", "--rm", name, "stat", "-c", "%s", "/big"));
        await Wherry.TextAsync("rmi", name);
        Assert.Equal(before, await EntriesAsync());
        Assert.Equal(0, IngestBytes());
    }

    [Fact]
    public async Task A_push_cut_off_by_a_kill_shows_nothing_there_and_works_the_second_time()
    {
        const int size = 32 * Megabyte;
        await using var registry = await DebianRegistry.StartAsync();
        await using var proxy = new FaultProxy(registry.Host);
        var name = await MakeImageAsync(proxy.Host, size);
        proxy.Faults = static request => request.StartsWith("PATCH", StringComparison.Ordinal) || request.StartsWith("PUT", StringComparison.Ordinal) ? new Fault { BytesPerSecond = 8 * Megabyte } : null;
        var before = await EntriesAsync();

        using (var pushing = Wherry.Start("push", name))
        {
            await Eventually.TrueAsync(() => proxy.Requests.Count(line => line.StartsWith("PATCH", StringComparison.Ordinal)) > 3, "chunks go out", 60);
            await Engine.KillAsync();
            await pushing.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await Engine.StartAsync();
        Assert.Equal(before, await EntriesAsync());
        (await Wherry.RunAsync("manifest", "inspect", name)).Refused("unknown");

        proxy.Faults = static _ => null;
        await Wherry.TextAsync("push", name);
        await Wherry.TextAsync("rmi", name);
        await Wherry.TextAsync("pull", name);
        Assert.Equal("ok", await Wherry.TextAsync("run", "--rm", name, "echo", "ok"));
        await Wherry.TextAsync("rmi", name);
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.6)]
    [InlineData(0.95)]
    public async Task A_load_cut_off_by_a_kill_leaves_nothing(double share)
    {
        var name = await MakeImageAsync("local", 24 * Megabyte);
        var archive = Path.Combine(HostDirectory(), "image.tar");
        await Wherry.TextAsync("save", "-o", archive, name);
        await Wherry.TextAsync("rmi", name);
        var before = await EntriesAsync();
        var bytes = await File.ReadAllBytesAsync(archive, TestContext.Current.CancellationToken);

        using (var loading = Wherry.Start("load"))
        {
            await loading.StandardInput.BaseStream.WriteAsync(bytes.AsMemory(0, (int)(bytes.Length * share)), TestContext.Current.CancellationToken);
            await loading.StandardInput.BaseStream.FlushAsync(TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(() => Directory.EnumerateFileSystemEntries(Path.Combine(Engine.DataRoot, "layers"), ".tmp-*").Any(), "a layer is being unpacked", 60);
            await Engine.KillAsync();
            await loading.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await Engine.StartAsync();
        Assert.Equal(before, await EntriesAsync());
        (await Wherry.RunAsync("image", "inspect", name)).Refused("No such image");

        await Wherry.TextAsync("load", "-i", archive);
        Assert.Equal("ok", await Wherry.TextAsync("run", "--rm", name, "echo", "ok"));
        await Wherry.TextAsync("rmi", name);
        Assert.Equal(before, await EntriesAsync());
    }

    [Fact]
    public async Task A_commit_cut_off_by_a_kill_makes_a_whole_image_or_none()
    {
        var id = await Wherry.DetachedAsync("busybox", "sh", "-c", "head -c 40000000 /dev/urandom > /big");
        Assert.Equal("0", await Wherry.TextAsync("wait", id));
        var before = await EntriesAsync();
        var name = Harness.Client.NewName("half");
        foreach (var milliseconds in (int[])[20, 60, 120, 250, 500])
        {
            using (var committing = Wherry.Start("commit", id, name))
            {
                await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
                await Engine.KillAsync();
                await committing.WaitForExitAsync(TestContext.Current.CancellationToken);
            }

            await Engine.StartAsync();
            await IsWholeOrGoneAsync(name, before);
        }

        await Wherry.TextAsync("commit", id, name);
        Assert.Equal("40000000", await Wherry.TextAsync("run", "--rm", name, "stat", "-c", "%s", "/big"));
        await Wherry.TextAsync("rmi", name);
        Assert.Equal(before, await EntriesAsync());
        await Wherry.RemoveAsync(id);
    }

    [Fact]
    public async Task A_pruning_cut_off_by_a_kill_leaves_whole_images_and_the_next_one_the_rest()
    {
        var before = await EntriesAsync();
        var holder = await Wherry.TextAsync("create", "busybox", "true");
        foreach (var milliseconds in (int[])[1, 5, 15, 40])
        {
            var names = new List<string>();
            for (var i = 0; i < 6; i++)
            {
                names.Add(await MakeImageAsync("local", 4 * Megabyte));
            }

            using (var pruning = Wherry.Start("image", "prune", "-a", "-f"))
            {
                await Eventually.TrueAsync(async () => (await Wherry.RunAsync("images", "-q")).Lines.Length < 7 || pruning.HasExited, "the pruning has begun");
                await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
                await Engine.KillAsync();
                await pruning.WaitForExitAsync(TestContext.Current.CancellationToken);
            }

            await Engine.StartAsync();
            foreach (var left in (await Wherry.RunAsync("images", "--format", "{{.ID}} {{.Repository}}")).Lines.Where(line => !line.EndsWith(" busybox", StringComparison.Ordinal)))
            {
                // One that has lost its name already is as whole as the others.
                Assert.Equal((4 * Megabyte).ToString(System.Globalization.CultureInfo.InvariantCulture), await Wherry.TextAsync("run", "--rm", left.Split(' ')[0], "stat", "-c", "%s", "/big"));
            }

            await Wherry.TextAsync("image", "prune", "-a", "-f");
            Assert.Equal(before, await EntriesAsync());
        }

        await Wherry.RemoveAsync(holder);
    }

    private async Task IsWholeOrGoneAsync(string name, string before)
    {
        if ((await Wherry.RunAsync("image", "inspect", name)).ExitCode == 0)
        {
            Assert.Equal("40000000", await Wherry.TextAsync("run", "--rm", name, "stat", "-c", "%s", "/big"));
            await Wherry.TextAsync("rmi", name);
        }

        Assert.Equal(before, await EntriesAsync());
    }

    /// <summary>busybox with a file of noise.</summary>
    private async Task<string> MakeImageAsync(string host, int size)
    {
        var name = $"{host}/{Harness.Client.NewName("crash")}:1";
        var directory = HostDirectory();
        await File.WriteAllBytesAsync(Path.Combine(directory, "big"), RandomNumberGenerator.GetBytes(size), TestContext.Current.CancellationToken);
        var id = await Wherry.TextAsync("create", "busybox", "true");
        await Wherry.TextAsync("cp", Path.Combine(directory, "big"), $"{id}:/big");
        await Wherry.TextAsync("commit", id, name);
        await Wherry.RemoveAsync(id);
        File.Delete(Path.Combine(directory, "big"));
        return name;
    }

    /// <summary>What the store keeps, by name, without what waits for the pull that goes on with it.</summary>
    private async Task<string> EntriesAsync() =>
        (await Command.ShellAsync($"cd {Engine.DataRoot} && find content/blobs layers images tmp -maxdepth 2 2>/dev/null | grep -v -e /snapshots/ -e '/init$' | sort")).Succeeded().Text;

    private long IngestBytes() => new DirectoryInfo(Path.Combine(Engine.DataRoot, "content/ingest")).EnumerateFiles().Sum(file => file.Length);
}
