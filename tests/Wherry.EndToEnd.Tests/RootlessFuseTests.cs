namespace Wherry.EndToEnd.Tests;

/// <summary>One engine of an ordinary user whose data root lies where the kernel takes no overlay, with busybox.</summary>
public sealed class RootlessFuseFixture : IAsyncLifetime
{
    public RootlessEngine Engine { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Binaries.Need("fuse-overlayfs");
        Engine = await RootlessEngine.StartOnAsync(await WithoutOverlayAsync());
        await Engine.LoadBusyboxAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Engine is not null)
        {
            await Engine.DisposeAsync();
        }
    }

    /// <summary>A host whose users' files lie on an overlay, as in a container: upon it the kernel makes no other.</summary>
    public static async Task<OrdinaryHost> WithoutOverlayAsync(params string[] missing)
    {
        var host = await OrdinaryHost.StartAsync(true, missing);
        try
        {
            var (data, layers) = ($"{host.Home}/.local/share", $"{host.Directory}/layers");
            (await host.RootShellAsync(
                $"mkdir -p {data} {layers}/below {layers}/above {layers}/work && chown -R {host.Uid}:{host.Uid} {host.Home}/.local {layers}/above"
                + $" && mount -t overlay -o lowerdir={layers}/below,upperdir={layers}/above,workdir={layers}/work overlay {data}")).Succeeded();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }
}

/// <summary>The storage driver fuse-overlayfs: an ordinary user's where the kernel refuses an overlay.</summary>
public sealed class RootlessFuseTests(RootlessFuseFixture fixture) : IClassFixture<RootlessFuseFixture>
{
    private RootlessEngine Engine => fixture.Engine;

    private Client Wherry => fixture.Engine.Client(Clients.Wherry);

    [Fact]
    public async Task It_is_chosen_where_overlay_does_not_work() =>
        Assert.Equal("fuse-overlayfs", await Engine.Client(Clients.Docker).TextAsync("info", "-f", "{{.Driver}}"));

    [Theory, BothClients]
    public async Task Containers_and_images_are_what_they_are_with_overlay(string client)
    {
        var docker = Engine.Client(client);
        var id = await docker.DetachedAsync(
            "busybox", "sh", "-c", "mkdir -p /d/sub && echo old >/d/old && rm /etc/group && rm -r /var/www && mkdir /var/www && chown 1000:50 /d/old && exec sleep 600");
        await Eventually.HoldsAsync(async () => Assert.Equal("1000:50", await docker.TextAsync("exec", id, "stat", "-c", "%u:%g", "/d/old")));
        await Eventually.HoldsAsync(async () => Assert.Contains("A /d/sub", await LinesAsync(docker, "diff", id)));
        Assert.Contains("D /etc/group", await LinesAsync(docker, "diff", id));
        Assert.DoesNotContain(await LinesAsync(docker, "diff", id), line => line.Contains(".wh.", StringComparison.Ordinal));

        var file = Path.Combine(Engine.Host.Home, $"copied-{client}");
        await File.WriteAllTextAsync(file, "brought", TestContext.Current.CancellationToken);
        (await docker.RunAsync("cp", file, $"{id}:/d/new")).Succeeded();
        (await docker.RunAsync("cp", $"{id}:/d/old", file)).Succeeded();
        Assert.Equal("old\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));

        // Of a file that is open what has been written is there.
        (await docker.RunAsync("exec", "-d", id, "sh", "-c", "exec 9>/open; printf written >&9; exec sleep 600")).Succeeded();
        await Eventually.HoldsAsync(async () => Assert.Equal("written", await docker.TextAsync("exec", id, "cat", "/open")));
        await docker.TextAsync("commit", id, $"first-{client}");
        await docker.TextAsync("kill", id);
        Assert.Equal("brought", await docker.TextAsync("run", "--rm", $"first-{client}", "sh", "-c", "test ! -e /etc/group && cat /d/new"));
        Assert.Equal("written", await docker.TextAsync("run", "--rm", $"first-{client}", "cat", "/open"));

        var second = await docker.TextAsync("create", $"first-{client}", "sh", "-c", "rm -r /d && mkdir /d && echo newer >/d/newer && echo again >/etc/group");
        (await docker.RunAsync("start", "-a", second)).Succeeded();
        await docker.TextAsync("commit", second, $"second-{client}");
        var archive = Path.Combine(Engine.Host.Home, $"second-{client}.tar");
        await docker.TextAsync("save", "-o", archive, $"second-{client}");
        await docker.RemoveAsync(id, second);
        await docker.TextAsync("rmi", "-f", $"second-{client}", $"first-{client}");
        await docker.TextAsync("load", "-q", "-i", archive);
        Assert.Equal("newer again", await docker.TextAsync("run", "--rm", $"second-{client}", "sh", "-c", "echo $(ls /d) $(cat /etc/group)"));

        var third = await docker.TextAsync("create", $"second-{client}");
        (await docker.RunAsync("export", "-o", archive, third)).Succeeded();
        var names = (await Command.RunAsync("/bin/tar", "-tf", archive)).Succeeded().Lines;
        Assert.Contains("d/newer", names);
        Assert.DoesNotContain(names, name => name.Contains(".wh.", StringComparison.Ordinal) || name == "d/old");
        await docker.RemoveAsync(third);
    }

    [Fact]
    public async Task An_image_flattens_and_differs_as_with_overlay()
    {
        var id = await Wherry.TextAsync("create", "busybox", "sh", "-c", "rm /etc/passwd; echo x >/flat");
        (await Wherry.RunAsync("start", "-a", id)).Succeeded();
        await Wherry.TextAsync("commit", id, "layered");
        await Wherry.TextAsync("image", "flatten", "layered", "flat");

        var changes = await LinesAsync(Wherry, "image", "diff", "busybox", "flat");
        Assert.Contains("D /etc/passwd", changes);
        Assert.Contains("A /flat", changes);
        Assert.Equal("x", await Wherry.TextAsync("run", "--rm", "flat", "cat", "/flat"));
        await Wherry.RemoveAsync(id);
    }

    [Fact]
    public async Task The_program_is_out_of_the_containers_sight_and_has_nothing_of_the_engines()
    {
        var id = await Wherry.DetachedAsync("--name", "seen", "busybox", "sleep", "600");
        Assert.DoesNotContain("fuse", await Wherry.TextAsync("exec", id, "ps"), StringComparison.Ordinal);
        Assert.Contains("fuse.fuse-overlayfs", await Wherry.TextAsync("exec", id, "cat", "/proc/mounts"), StringComparison.Ordinal);
        (await Wherry.RunAsync("exec", id, "ls", "/dev/fuse")).Refused("No such file");

        var process = ServerOf(id);
        var descriptors = Directory.EnumerateFiles($"/proc/{process}/fd").Select(path => new FileInfo(path).LinkTarget ?? "").ToList();
        Assert.Contains("/dev/fuse", descriptors);
        Assert.All(descriptors, target => Assert.True(
            target is "/dev/fuse" or "/dev/null" || target.StartsWith("pipe:", StringComparison.Ordinal) || target.Contains("/wherry/", StringComparison.Ordinal), target));
        Assert.DoesNotContain(descriptors, target => target.EndsWith(".sock", StringComparison.Ordinal) || target.StartsWith("socket:", StringComparison.Ordinal));
        Assert.DoesNotContain("fuse.fuse-overlayfs", File.ReadAllText($"/proc/{Engine.Host.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)}/mountinfo"), StringComparison.Ordinal);
        await Wherry.RemoveAsync(id);
        await NothingServesAsync(id);
    }

    [Fact]
    public async Task A_container_outlives_an_engine_that_was_killed_with_all_its_files()
    {
        var id = await Wherry.DetachedAsync("busybox", "sh", "-c", "while :; do date >/beat; cat /etc/passwd >/dev/null || exit 1; sleep 0.1; done");
        var process = ServerOf(id);
        await Engine.KillAsync();
        Assert.Equal(process, ServerOf(id));
        await Engine.StartAsync();

        Assert.Equal("true", await Wherry.TextAsync("inspect", "-f", "{{.State.Running}}", id));
        Assert.Equal(process, ServerOf(id));
        await Wherry.TextAsync("exec", id, "rm", "/beat");
        await Eventually.HoldsAsync(async () => (await Wherry.RunAsync("exec", id, "cat", "/beat")).Succeeded());
        await Wherry.TextAsync("stop", "-t", "0", id);
        await NothingServesAsync(id);

        (await Wherry.RunAsync("start", id)).Succeeded();
        await Eventually.HoldsAsync(async () => (await Wherry.RunAsync("exec", id, "cat", "/beat")).Succeeded());
        await Wherry.RemoveAsync(id);
        await NothingServesAsync(id);
    }

    [Theory]
    [InlineData("/nowhere", "no such file", "-w", "/")]
    [InlineData("true", "", "-w", "/etc/passwd/below")]
    public async Task A_start_that_fails_leaves_no_process(string program, string said, params string[] options)
    {
        (await Wherry.RunAsync(["create", "--name", "failing", .. options, "busybox", program])).Succeeded();
        var id = await Wherry.TextAsync("inspect", "-f", "{{.Id}}", "failing");
        (await Wherry.RunAsync("start", "failing")).Refused(said);
        await NothingServesAsync(id);
        await Wherry.RemoveAsync("failing");
    }

    [Fact]
    public async Task Files_of_a_container_at_rest_leave_no_process()
    {
        var id = await Wherry.TextAsync("create", "busybox");
        var file = Path.Combine(Engine.Host.Home, "at-rest");
        (await Wherry.RunAsync("cp", $"{id}:/etc/passwd", file)).Succeeded();
        Assert.StartsWith("root:", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await NothingServesAsync(id);
        await Wherry.RemoveAsync(id);
    }

    [Fact]
    public async Task A_size_and_a_user_namespace_are_refused_with_the_reason()
    {
        (await Wherry.RunAsync("run", "--rm", "--storage-opt", "size=1g", "busybox", "true")).Refused("storage driver fuse-overlayfs can't limit");
        (await Wherry.RunAsync("run", "--rm", "--userns", "auto", "busybox", "true")).Refused("--userns");
    }

    private static async Task<IReadOnlyList<string>> LinesAsync(Client client, params string[] arguments) => (await client.RunAsync(arguments)).Succeeded().Lines;

    private string ServerOf(string id) => Assert.Single(Servers(id)).Split(' ')[0];

    private IEnumerable<string> Servers(string id) =>
        Engine.Host.Processes().Where(process => process.Contains(" fuse-overlayfs -o", StringComparison.Ordinal) && process.Contains(id, StringComparison.Ordinal));

    private Task NothingServesAsync(string id) => Eventually.TrueAsync(() => !Servers(id).Any(), "the program has ended with the container's root");
}

/// <summary>What an ordinary user's engine does where something for fuse-overlayfs is missing, and where nobody needs it.</summary>
public sealed class RootlessFuseHostTests
{
    [Theory]
    [InlineData("fuse-overlayfs is not installed (package fuse-overlayfs)", ":", "fuse-overlayfs")]
    [InlineData("/dev/fuse can't be opened: EACCES", "umount /dev/fuse && chmod 600 \"$0/dev/fuse\" && mount --bind \"$0/dev/fuse\" /dev/fuse")]
    public async Task Without_it_layers_are_copied_and_asking_for_it_says_what_is_missing(string said, string script, params string[] missing)
    {
        var host = await RootlessFuseFixture.WithoutOverlayAsync(missing);
        (await host.RootShellAsync(script.Replace("$0", host.Directory, StringComparison.Ordinal))).Succeeded();
        await using var engine = await RootlessEngine.StartOnAsync(host);
        Assert.Contains(said, engine.Log(), StringComparison.Ordinal);
        Assert.Equal("vfs", await engine.Client(Clients.Wherry).TextAsync("info", "-f", "{{.Driver}}"));
        await engine.LoadBusyboxAsync();
        var wherry = engine.Client(Clients.Wherry);
        await wherry.TextAsync("run", "--name", "less", "busybox", "sh", "-c", "rm /etc/passwd; rm -r /var/www; mkdir /var/www");
        await wherry.TextAsync("commit", "less", "less");
        Assert.Equal("gone", await wherry.TextAsync("run", "--rm", "less", "sh", "-c", "ls -A /var/www; test -e /etc/passwd || echo gone"));
        await wherry.RemoveAsync("less");
        await engine.StopAsync();

        var refused = (await host.RunAsync(host.Program("wherryd"), "--storage-driver", "fuse-overlayfs", "--data-root", $"{host.Home}/.local/share/other")).Refused(said);
        Assert.Contains("storage driver fuse-overlayfs", refused.Error, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => host.Processes().Count == 0, "the user has no process left");
    }

    [Fact]
    public async Task Roots_engine_uses_it_when_asked_to_and_refuses_mapped_owners()
    {
        Binaries.Need("fuse-overlayfs");
        await using var engine = await PrivateEngine.StartNewAsync("--storage-driver", "fuse-overlayfs");
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        var wherry = engine.Client(Clients.Wherry);
        var id = await wherry.TextAsync("create", "busybox", "sh", "-c", "rm -r /var/www && mkdir /var/www && touch /var/www/new");
        (await wherry.RunAsync("start", "-a", id)).Succeeded();
        await wherry.TextAsync("commit", id, "changed");
        Assert.Equal("new", await wherry.TextAsync("run", "--rm", "changed", "ls", "-A", "/var/www"));
        (await wherry.RunAsync("run", "--rm", "--userns", "auto", "busybox", "true")).Refused("fuse-overlayfs can't show files with mapped owners");
        await wherry.RemoveAsync(id);
    }

    [Fact]
    public async Task It_can_be_asked_for_where_overlay_works()
    {
        Binaries.Need("fuse-overlayfs");
        await using var engine = await RootlessEngine.StartOnAsync(await OrdinaryHost.StartAsync(), options: ["--storage-driver", "fuse-overlayfs"]);
        await engine.LoadBusyboxAsync();
        var wherry = engine.Client(Clients.Wherry);
        Assert.Equal("fuse-overlayfs", await wherry.TextAsync("info", "-f", "{{.Driver}}"));
        Assert.Equal("here", await wherry.TextAsync("run", "--rm", "busybox", "sh", "-c", "rm /etc/passwd && test ! -e /etc/passwd && echo here"));
        await engine.StopAsync();
        await Eventually.TrueAsync(() => engine.Host.Processes().Count == 0, "the user has no process left");
    }
}
