namespace Wherry.EndToEnd.Tests;

/// <summary>Bind mounts, named and anonymous volumes, tmpfs.</summary>
public sealed class VolumeTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task A_bind_mount_shows_the_hosts_directory_and_writes_to_it(string client)
    {
        var directory = HostDirectory();
        await File.WriteAllTextAsync(Path.Combine(directory, "in"), "from the host\n", TestContext.Current.CancellationToken);

        Assert.Equal("from the host", await Client(client).TextAsync("run", "--rm", "-v", $"{directory}:/data", "busybox", "sh", "-c", "cat /data/in; echo back > /data/out"));

        Assert.Equal("back\n", await File.ReadAllTextAsync(Path.Combine(directory, "out"), TestContext.Current.CancellationToken));
    }

    [Theory, BothClients]
    public async Task A_read_only_bind_mount_refuses_writes(string client)
    {
        var directory = HostDirectory();

        foreach (var flags in new string[][] { ["-v", $"{directory}:/data:ro"], ["--mount", $"type=bind,source={directory},target=/data,readonly"] })
        {
            (await Client(client).RunAsync(["run", "--rm", .. flags, "busybox", "touch", "/data/x"])).Failed(1, "Read-only file system");
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(directory));
    }

    [Theory, BothClients]
    public async Task A_single_file_can_be_mounted(string client)
    {
        var file = Path.Combine(HostDirectory(), "file");
        await File.WriteAllTextAsync(file, "content\n", TestContext.Current.CancellationToken);

        Assert.Equal("content", await Client(client).TextAsync("run", "--rm", "-v", $"{file}:/etc/deep/inside.conf", "busybox", "cat", "/etc/deep/inside.conf"));
    }

    [Theory, BothClients]
    public async Task The_short_form_makes_a_missing_directory_and_the_long_form_refuses(string client)
    {
        var missing = Path.Combine(HostDirectory(), "missing");
        (await Client(client).RunAsync("run", "--rm", "--mount", $"type=bind,source={missing},target=/x", "busybox", "true")).Failed(125, "bind source path does not exist");
        Assert.False(Directory.Exists(missing));

        (await Client(client).RunAsync("run", "--rm", "-v", $"{missing}:/x", "busybox", "true")).Succeeded();
        Assert.True(Directory.Exists(missing));
    }

    [Theory, BothClients]
    public async Task A_relative_source_is_refused(string client)
    {
        (await Client(client).RunAsync("run", "--rm", "-v", "some/where:/x", "busybox", "true")).Failed(125, "some/where");
        (await Client(client).RunAsync("run", "--rm", "-v", "/tmp:relative", "busybox", "true")).Failed(125, "relative");
    }

    [Theory, BothClients]
    public async Task A_named_volume_is_made_on_first_use_and_outlives_its_containers(string client)
    {
        var volume = Harness.Client.NewName("volume");
        (await Client(client).RunAsync("run", "--rm", "-v", $"{volume}:/data", "busybox", "sh", "-c", "echo kept > /data/file")).Succeeded();

        Assert.Equal("kept", await Client(client).TextAsync("run", "--rm", "--mount", $"type=volume,source={volume},target=/again", "busybox", "cat", "/again/file"));

        var id = await Client(client).TextAsync("create", "-v", $"{volume}:/data", "busybox", "true");
        await Client(client).TextAsync("rm", "-v", id);
        Assert.Contains(volume, (await Docker.RunAsync("volume", "ls", "-q")).Succeeded().Lines);
    }

    [Theory, BothClients]
    public async Task A_new_volume_starts_with_what_the_image_has_there(string client)
    {
        var volume = Harness.Client.NewName("filled");

        var inside = await Client(client).TextAsync("run", "--rm", "-v", $"{volume}:/etc", "busybox", "ls", "/etc");

        Assert.Contains("passwd", inside.Split('\n'));
        var nocopy = Harness.Client.NewName("unfilled");
        Assert.DoesNotContain("passwd", (await Client(client).TextAsync("run", "--rm", "-v", $"{nocopy}:/etc:nocopy", "busybox", "ls", "/etc")).Split('\n'));
    }

    [Theory, BothClients]
    public async Task An_anonymous_volume_goes_with_its_container_when_asked(string client)
    {
        var id = await Client(client).DetachedAsync("-v", "/data", "busybox", "sleep", "60");
        var volume = await Client(client).FieldAsync(id, "{{(index .Mounts 0).Name}}");
        Assert.Matches("^[0-9a-f]{64}$", volume);
        Assert.Contains(volume, (await Docker.RunAsync("volume", "ls", "-q")).Lines);

        await Client(client).TextAsync("rm", "-f", "-v", id);

        Assert.DoesNotContain(volume, (await Docker.RunAsync("volume", "ls", "-q")).Lines);
        Assert.False(Directory.Exists(Path.Combine(Engine.DataRoot, "volumes", volume)));
    }

    [Theory, BothClients]
    public async Task An_anonymous_volume_stays_when_not_asked(string client)
    {
        var id = await Client(client).TextAsync("create", "-v", "/data", "busybox", "true");
        var volume = await Client(client).FieldAsync(id, "{{(index .Mounts 0).Name}}");

        await Client(client).TextAsync("rm", id);

        Assert.Contains(volume, (await Docker.RunAsync("volume", "ls", "-q")).Lines);
        (await Docker.RunAsync("volume", "rm", volume)).Succeeded();
    }

    [Theory, BothClients]
    public async Task A_volume_in_use_is_not_removed(string client)
    {
        var volume = Harness.Client.NewName("busy");
        var id = await Client(client).TextAsync("create", "-v", $"{volume}:/data", "busybox", "true");

        (await Docker.RunAsync("volume", "rm", volume)).Refused("volume is in use");
        await Client(client).RemoveAsync(id);
        (await Docker.RunAsync("volume", "rm", volume)).Succeeded();
    }

    [Theory, BothClients]
    public async Task A_tmpfs_is_of_the_size_asked_for_and_forgets(string client)
    {
        Assert.Contains("tmpfs", await Client(client).TextAsync("run", "--rm", "--tmpfs", "/scratch:size=1m", "busybox", "grep", "/scratch", "/proc/mounts"), StringComparison.Ordinal);
        (await Client(client).RunAsync("run", "--rm", "--tmpfs", "/scratch:size=1m", "busybox", "dd", "if=/dev/zero", "of=/scratch/x", "bs=1M", "count=2")).Failed(1, "No space left");
        (await Client(client).RunAsync("run", "--rm", "--mount", "type=tmpfs,target=/scratch,tmpfs-size=1m", "busybox", "dd", "if=/dev/zero", "of=/scratch/x", "bs=1M", "count=2")).Failed(1, "No space left");
    }

    [Theory, BothClients]
    public async Task Mounts_below_mounts_are_made_in_the_right_order(string client)
    {
        var outer = HostDirectory();
        var inner = HostDirectory();
        await File.WriteAllTextAsync(Path.Combine(inner, "deep"), "deep\n", TestContext.Current.CancellationToken);

        Assert.Equal("deep", await Client(client).TextAsync("run", "--rm", "-v", $"{inner}:/a/b/c", "-v", $"{outer}:/a", "busybox", "cat", "/a/b/c/deep"));
    }

    [Theory, BothClients]
    public async Task The_same_target_twice_is_refused(string client) =>
        (await Client(client).RunAsync("run", "--rm", "-v", "/tmp:/x", "-v", "/var:/x", "busybox", "true")).Failed(125, "Duplicate mount point");

    [Theory, BothClients]
    public async Task A_symbolic_link_in_the_image_cannot_lead_a_mount_to_the_host(string client)
    {
        var directory = HostDirectory();
        var name = Harness.Client.NewName("linked");
        var id = await Client(client).DetachedAsync("busybox", "ln", "-s", "/../../../../../../../../tmp", "/escape");
        await Client(client).TextAsync("wait", id);
        await Client(client).TextAsync("commit", id, name);
        var mark = Harness.Client.NewName("escaped");

        await Client(client).RunAsync("run", "--rm", "-v", $"{directory}:/escape/{mark}", name, "true");

        Assert.False(Directory.Exists("/tmp/" + mark));
        await Client(client).RemoveAsync(id);
    }
}
