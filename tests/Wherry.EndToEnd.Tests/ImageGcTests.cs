using System.Security.Cryptography;

namespace Wherry.EndToEnd.Tests;

/// <summary>Images that go by themselves, on a small disk of the test's own.</summary>
public sealed class ImageGcTests : IAsyncLifetime
{
    private string _directory = "";

    public async ValueTask InitializeAsync()
    {
        _directory = $"/var/tmp/wherry-e2e/gc-{Environment.ProcessId}";
        Directory.CreateDirectory(_directory);
        (await Command.ShellAsync($"truncate -s 320M {_directory}.img && mkfs.ext4 -q -m 0 {_directory}.img && mount -o loop {_directory}.img {_directory}")).Succeeded();
    }

    public async ValueTask DisposeAsync()
    {
        await Command.RunAsync("umount", _directory);
        Directory.Delete(_directory);
        File.Delete(_directory + ".img");
    }

    [Fact]
    public async Task When_space_runs_short_the_longest_unused_image_goes_and_none_that_is_used()
    {
        await using var engine = await StartAsync();
        var images = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            images.Add(await ImportAsync(engine, 20 << 20, $"filler-{i}"));
        }

        var wherry = engine.Client(Clients.Wherry);
        var user = await wherry.TextAsync("create", "filler-0", "none");
        for (var i = 0; i < 4; i++)
        {
            Age(engine, images[i], TimeSpan.FromHours(10 - i));
        }

        Assert.InRange(Free(), 60_000_000, 150_000_000);
        await RestartWithAsync(engine, """{"keep-free":"150MB","tagged":true,"every":"1s"}""");

        await Eventually.TrueAsync(async () => (await wherry.RunAsync("image", "inspect", "filler-1")).ExitCode != 0, "the longest unused image is gone", 30);
        await Task.Delay(2500, TestContext.Current.CancellationToken); // two more looks
        Assert.InRange(Free(), 150_000_000, 320_000_000);
        Assert.Equal(["busybox", "filler-0", "filler-2", "filler-3"], await NamesAsync(wherry));
        Assert.Contains("image gc: untagged filler-1:latest, to make room", engine.Log(), StringComparison.Ordinal);
        Assert.Contains($"image gc: removed {images[1]}", engine.Log(), StringComparison.Ordinal);
        await wherry.RemoveAsync(user);
    }

    [Fact]
    public async Task What_was_used_lately_stays_however_short_the_space_is()
    {
        await using var engine = await StartAsync();
        var id = await ImportAsync(engine, 1 << 20, "fresh");
        await RestartWithAsync(engine, """{"keep-free":"99%","tagged":true,"every":"1s"}""");
        await Task.Delay(2500, TestContext.Current.CancellationToken);

        Assert.Equal(["busybox", "fresh"], await NamesAsync(engine.Client(Clients.Wherry)));
        Age(engine, id, TimeSpan.FromHours(1));
        await Eventually.TrueAsync(async () => !(await NamesAsync(engine.Client(Clients.Wherry))).Contains("fresh"), "an hour later it goes", 30);
    }

    [Fact]
    public async Task By_age_only_images_without_a_tag_go_unless_tags_are_named_too()
    {
        await using var engine = await StartAsync();
        var wherry = engine.Client(Clients.Wherry);
        var old = await ImportAsync(engine, 1 << 20, "moving");
        var used = await ImportAsync(engine, 1 << 20, "moving");
        var user = await wherry.TextAsync("create", used, "none");
        var young = await ImportAsync(engine, 1 << 20, "moving");
        var tagged = await ImportAsync(engine, 1 << 20, "moving");
        foreach (var id in (string[])[old, used, tagged])
        {
            Age(engine, id, TimeSpan.FromDays(3));
        }

        await RestartWithAsync(engine, """{"unused-for":"2d","every":"1s"}""");
        await Eventually.TrueAsync(async () => (await wherry.RunAsync("image", "inspect", old)).ExitCode != 0, "the old image without a tag is gone", 30);
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        foreach (var id in (string[])[used, young, tagged])
        {
            (await wherry.RunAsync("image", "inspect", id)).Succeeded();
        }

        await RestartWithAsync(engine, """{"unused-for":"2d","tagged":true,"every":"1s"}""");
        await Eventually.TrueAsync(async () => (await wherry.RunAsync("image", "inspect", tagged)).ExitCode != 0, "asked for, the tagged one goes, too", 30);
        (await wherry.RunAsync("image", "inspect", used)).Succeeded();
        await wherry.RemoveAsync(user);
        (await wherry.RunAsync("image", "inspect", used)).Succeeded(); // a moment ago it was in use
    }

    private async Task<PrivateEngine> StartAsync()
    {
        var engine = await PrivateEngine.StartInAsync(Path.Combine(_directory, "data"));
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        return engine;
    }

    private static async Task RestartWithAsync(PrivateEngine engine, string gc)
    {
        await engine.StopAsync();
        engine.ExtraOptions = ["--image-gc", gc];
        await engine.StartAsync();
    }

    private static async Task<string> ImportAsync(PrivateEngine engine, int size, string name)
    {
        var archive = await new TarBytes().File("noise", RandomNumberGenerator.GetBytes(size)).SaveAsync(engine.DataRoot + "-noise.tar");
        var output = await engine.Client(Clients.Wherry).TextAsync("import", archive, name);
        File.Delete(archive);
        return output.Split('\n')[^1];
    }

    /// <summary>The time of an image's record is the time of its last use.</summary>
    private static void Age(PrivateEngine engine, string id, TimeSpan age) =>
        File.SetLastWriteTimeUtc(Path.Combine(engine.DataRoot, "images", id["sha256:".Length..] + ".json"), DateTime.UtcNow - age);

    private static async Task<string[]> NamesAsync(Client client) =>
        [.. (await client.RunAsync("images", "--format", "{{.Repository}}")).Succeeded().Lines.Order(StringComparer.Ordinal)];

    private long Free() => new DriveInfo(_directory).AvailableFreeSpace;
}
