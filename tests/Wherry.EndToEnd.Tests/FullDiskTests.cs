using System.Security.Cryptography;

namespace Wherry.EndToEnd.Tests;

/// <summary>A disk that fills up in the middle.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private string _directory = "";

    public async ValueTask InitializeAsync()
    {
        _directory = $"/var/tmp/wherry-e2e/small-{Environment.ProcessId}";
        Directory.CreateDirectory(_directory);
        (await Command.RunAsync("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", _directory)).Succeeded();
    }

    public async ValueTask DisposeAsync()
    {
        await Command.RunAsync("umount", "-l", _directory);
        Directory.Delete(_directory);
        File.Delete(_directory + ".tar");
    }

    [Fact]
    public async Task A_load_that_does_not_fit_is_refused_and_leaves_nothing()
    {
        var dataRoot = Path.Combine(_directory, "data");
        await using var engine = await PrivateEngine.StartInAsync(dataRoot);
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        var random = new byte[80 << 20];
        RandomNumberGenerator.Fill(random);
        var archive = await new TarBytes().File("big", random).SaveAsync(_directory + ".tar");
        var before = await UsedAsync();

        foreach (var kind in new[] { Clients.Docker, Clients.Wherry })
        {
            (await engine.Client(kind).RunAsync("import", archive, "big")).Refused("no space left");
            Assert.InRange(await UsedAsync(), before - 200, before + 200);
            Assert.Equal("fine", await engine.Client(kind).TextAsync("run", "--rm", "busybox", "echo", "fine"));
            Assert.Empty((await engine.Client(kind).RunAsync("images", "-q", "big")).Lines);
        }
    }

    [Fact]
    public async Task A_pull_that_does_not_fit_is_refused_and_gives_the_space_back()
    {
        await using var registry = await DebianRegistry.StartAsync();
        var name = $"{registry.Host}/big:1";
        await PushBigAsync(name);
        await using var engine = await PrivateEngine.StartInAsync(Path.Combine(_directory, "data"));
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        var before = await UsedAsync();

        foreach (var kind in new[] { Clients.Docker, Clients.Wherry })
        {
            (await engine.Client(kind).RunAsync("pull", name)).Refused("no space left");
            Assert.InRange(await UsedAsync(), before - 200, before + 200);
            Assert.Equal("fine", await engine.Client(kind).TextAsync("run", "--rm", "busybox", "echo", "fine"));
            (await engine.Client(kind).RunAsync("image", "inspect", name)).Refused("No such image");
        }
    }

    [Fact]
    public async Task A_commit_that_does_not_fit_is_refused_and_leaves_nothing()
    {
        await using var engine = await PrivateEngine.StartInAsync(Path.Combine(_directory, "data"));
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        var wherry = engine.Client(Clients.Wherry);
        var id = await wherry.DetachedAsync("busybox", "sh", "-c", "head -c 25000000 /dev/urandom > /big");
        Assert.Equal("0", await wherry.TextAsync("wait", id));
        var before = await UsedAsync();

        foreach (var kind in new[] { Clients.Docker, Clients.Wherry })
        {
            // The archive and the unpacked layer are 50 MB more.
            (await engine.Client(kind).RunAsync("commit", id, "big")).Refused("no space left");
            Assert.InRange(await UsedAsync(), before - 200, before + 200);
            Assert.Empty((await engine.Client(kind).RunAsync("images", "-q", "big")).Lines);
        }

        await wherry.RemoveAsync(id);
    }

    private static async Task PushBigAsync(string name)
    {
        await using var engine = await PrivateEngine.StartNewAsync();
        var archive = Path.Combine(engine.DataRoot, "big.tar");
        var random = new byte[80 << 20];
        RandomNumberGenerator.Fill(random);
        await new TarBytes().File("big", random).SaveAsync(archive);
        var wherry = engine.Client(Clients.Wherry);
        await wherry.TextAsync("import", archive, name);
        await wherry.TextAsync("push", name);
    }

    /// <summary>What the small disk holds, kilobytes.</summary>
    private async Task<long> UsedAsync() => long.Parse((await Command.ShellAsync($"du -sk --exclude='*.log' {_directory} | cut -f1")).Text, System.Globalization.CultureInfo.InvariantCulture);
}
