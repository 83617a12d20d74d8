using System.Text;

namespace Wherry.EndToEnd.Tests;

/// <summary>diff, export and cp.</summary>
public sealed class ContainerFileTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task Diff_tells_what_was_added_changed_and_deleted(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "echo new > /new; echo more >> /etc/passwd; rm /etc/group; mkdir /dir; touch /dir/file");
        await Client(client).TextAsync("wait", id);

        var lines = (await Client(client).RunAsync("diff", id)).Succeeded().Lines.Order(StringComparer.Ordinal);

        Assert.Equal(["A /dir", "A /dir/file", "A /new", "C /etc", "C /etc/passwd", "D /etc/group"], lines);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Export_has_the_files_of_running_and_stopped_containers_without_their_mounts(string client)
    {
        var directory = HostDirectory();
        await File.WriteAllTextAsync(Path.Combine(directory, "private"), "x", TestContext.Current.CancellationToken);
        var id = await Client(client).DetachedAsync("-v", $"{directory}:/mounted", "busybox", "sh", "-c", "echo state > /state; rm /etc/group; exec sleep 600");
        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("exec", id, "test", "!", "-e", "/etc/group")).ExitCode == 0, "the files are as they should be");

        await Client(client).TextAsync("export", "-o", $"{directory}/running.tar", id);
        await Client(client).TextAsync("kill", id);
        await Client(client).TextAsync("export", "-o", $"{directory}/stopped.tar", id);

        foreach (var archive in new[] { "running.tar", "stopped.tar" })
        {
            var names = TarBytes.Names($"{directory}/{archive}");
            Assert.Contains("state", names);
            Assert.Contains("bin/busybox", names);
            Assert.Contains("mounted", names);
            Assert.DoesNotContain("mounted/private", names);
            Assert.DoesNotContain("etc/group", names);
            Assert.DoesNotContain("proc/1", names);
        }

        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task An_export_imports_as_an_image_with_the_same_files(string client)
    {
        var name = Harness.Client.NewName("exported");
        var directory = HostDirectory();
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "echo kept > /kept; chmod 4711 /kept; ln /kept /hard; ln -s kept /soft");
        await Client(client).TextAsync("wait", id);
        await Client(client).TextAsync("export", "-o", $"{directory}/e.tar", id);
        await Client(client).TextAsync("import", $"{directory}/e.tar", name);

        Assert.Equal("kept 4711 2 kept", await Client(client).TextAsync("run", "--rm", name, "/bin/sh", "-c", "echo $(cat /soft) $(stat -c '%a %h' /kept) $(readlink /soft)"));
        await Client(client).RemoveAsync(id);
        await Client(client).TextAsync("rmi", name);
    }

    [Theory]
    [InlineData(Clients.Docker, true)]
    [InlineData(Clients.Docker, false)]
    [InlineData(Clients.Wherry, true)]
    [InlineData(Clients.Wherry, false)]
    public async Task Cp_copies_files_and_directories_both_ways(string client, bool running)
    {
        var directory = HostDirectory();
        Directory.CreateDirectory($"{directory}/tree/sub");
        await File.WriteAllTextAsync($"{directory}/tree/sub/file", "content", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync($"{directory}/one", "single", TestContext.Current.CancellationToken);
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "mkdir /old; exec sleep 600");
        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("exec", id, "test", "-d", "/old")).ExitCode == 0, "the directory is there");
        if (!running)
        {
            await Client(client).TextAsync("kill", id);
        }

        async Task CopyAsync(string from, string to) => (await Client(client).RunAsync("cp", from, to)).Succeeded();
        await CopyAsync($"{directory}/one", $"{id}:/renamed");
        await CopyAsync($"{directory}/one", $"{id}:/old");
        await CopyAsync($"{directory}/tree", $"{id}:/new");
        await CopyAsync($"{directory}/tree", $"{id}:/old");
        await CopyAsync($"{directory}/tree/.", $"{id}:/tmp");

        await CopyAsync($"{id}:/renamed", $"{directory}/back");
        await CopyAsync($"{id}:/old", $"{directory}/all");
        await CopyAsync($"{id}:/new/.", $"{directory}/tree");
        await CopyAsync($"{id}:/tmp/sub", directory);
        await CopyAsync($"{id}:/", $"{directory}/root");

        Assert.Equal("single", await File.ReadAllTextAsync($"{directory}/back", TestContext.Current.CancellationToken));
        Assert.Equal("single", await File.ReadAllTextAsync($"{directory}/all/one", TestContext.Current.CancellationToken));
        Assert.Equal("content", await File.ReadAllTextAsync($"{directory}/all/tree/sub/file", TestContext.Current.CancellationToken));
        Assert.Equal("content", await File.ReadAllTextAsync($"{directory}/sub/file", TestContext.Current.CancellationToken));
        Assert.Equal("content", await File.ReadAllTextAsync($"{directory}/root/new/sub/file", TestContext.Current.CancellationToken));
        (await Client(client).RunAsync("cp", $"{id}:/nowhere", directory)).Refused("/nowhere");
        (await Client(client).RunAsync("cp", $"{directory}/tree", $"{id}:/renamed")).Refused("cannot copy directory");
        (await Client(client).RunAsync("cp", "nosuchcontainer:/x", directory)).Refused("nosuchcontainer");
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Cp_streams_archives_and_follows_links_when_asked(string client)
    {
        var directory = HostDirectory();
        var program = client == Clients.Docker ? Binaries.Docker : Binaries.Wherry;
        var prefix = $"DOCKER_HOST={Engine.Host} WHERRY_HOST={Engine.Host} {program}";
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "mkdir /real; echo x > /real/file; ln -s /real /link; exec sleep 600");
        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("exec", id, "test", "-e", "/link/file")).ExitCode == 0, "the link is there");

        (await Command.ShellAsync($"{prefix} cp {id}:/real - | tar -t > {directory}/names && tar -c -C {directory} names | {prefix} cp - {id}:/real")).Succeeded();
        (await Client(client).RunAsync("cp", "-L", $"{id}:/link", $"{directory}/followed")).Succeeded();
        (await Client(client).RunAsync("cp", $"{id}:/link", $"{directory}/kept")).Succeeded();

        Assert.Contains("real/file", await File.ReadAllTextAsync($"{directory}/names", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal("x\n", await File.ReadAllTextAsync($"{directory}/followed/file", TestContext.Current.CancellationToken));
        Assert.Equal("/real", new FileInfo($"{directory}/kept").LinkTarget);
        Assert.Contains("real/file", await Client(client).TextAsync("exec", id, "cat", "/real/names"), StringComparison.Ordinal);
        await Client(client).RemoveAsync(id);
    }

    [Theory]
    [InlineData(Clients.Docker, true)]
    [InlineData(Clients.Docker, false)]
    [InlineData(Clients.Wherry, true)]
    [InlineData(Clients.Wherry, false)]
    public async Task Cp_reaches_volumes_and_respects_read_only(string client, bool running)
    {
        var directory = HostDirectory();
        await File.WriteAllTextAsync($"{directory}/one", "single", TestContext.Current.CancellationToken);
        var volume = Harness.Client.NewName("vol");
        Directory.CreateDirectory($"{directory}/ro");
        var id = await Client(client).DetachedAsync("--read-only", "-v", $"{volume}:/data", "-v", $"{directory}/ro:/ro:ro", "busybox", "sleep", "600");
        if (!running)
        {
            await Client(client).TextAsync("kill", id);
        }

        (await Client(client).RunAsync("cp", $"{directory}/one", $"{id}:/data/one")).Succeeded();
        (await Client(client).RunAsync("cp", $"{directory}/one", $"{id}:/one")).Refused("read-only");
        (await Client(client).RunAsync("cp", $"{directory}/one", $"{id}:/ro/one")).Refused("read-only");

        Assert.Equal("single", await Client(client).TextAsync("run", "--rm", "-v", $"{volume}:/data", "busybox", "cat", "/data/one"));
        Assert.Empty(Directory.EnumerateFileSystemEntries($"{directory}/ro"));
        await Client(client).RemoveAsync(id);
        await Client(client).TextAsync("volume", "rm", volume);
    }

    /// <summary>CVE-2018-15664: a directory of the path, or of what is copied, is swapped for a link out while a copy is at it.</summary>
    [Theory, BothClients]
    public async Task Links_swapped_while_copying_lead_nowhere_outside(string client)
    {
        var directory = HostDirectory();
        var outside = Path.Combine(directory, "outside");
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(outside, mode);
        Directory.CreateDirectory($"{directory}/tree/swap");
        await File.WriteAllTextAsync($"{outside}/canary", "secret", TestContext.Current.CancellationToken);
        foreach (var name in new[] { "canary", "tree/swap/canary" })
        {
            await File.WriteAllTextAsync($"{directory}/{name}", "overwritten", TestContext.Current.CancellationToken);
        }

        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", $"mkdir -p /tree/swap; echo inside > /tree/swap/canary; ln -s {outside} /tree/link; exec sleep 600");
        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("exec", id, "test", "-L", "/tree/link")).ExitCode == 0, "the files are there");
        var root = $"/proc/{await Client(client).FieldAsync(id, "{{.State.Pid}}")}/root/tree";
        using (var swapper = new Swapper($"{root}/swap", $"{root}/link"))
        {
            var copied = 0;
            for (var round = 0; round < 20; round++)
            {
                await Client(client).RunAsync("cp", $"{directory}/canary", $"{id}:/tree/swap/canary");
                await Client(client).RunAsync("cp", $"{directory}/tree/.", $"{id}:/tree");
                Assert.Equal("secret", await File.ReadAllTextAsync($"{outside}/canary", TestContext.Current.CancellationToken));
                Assert.Equal(mode, File.GetUnixFileMode(outside));
                foreach (var (from, to) in new[] { ("/tree/swap/canary", "file"), ("/tree", "copy") })
                {
                    await Client(client).RunAsync("cp", $"{id}:{from}", $"{directory}/{to}");
                    copied += Path.Exists($"{directory}/{to}") ? 1 : 0;
                    (await Command.ShellAsync($"! grep -r secret {directory}/{to}")).Succeeded();
                    await Command.RunAsync("rm", "-rf", $"{directory}/{to}");
                }
            }

            Assert.True(copied > 0 && swapper.Count > copied, "nothing was raced for");
        }

        await Client(client).RemoveAsync(id);
    }

    [Fact]
    public async Task A_link_that_is_there_from_the_start_leads_into_the_container()
    {
        var directory = HostDirectory();
        await File.WriteAllTextAsync($"{directory}/secret", "secret", TestContext.Current.CancellationToken);
        var id = await Docker.DetachedAsync("busybox", "sh", "-c", $"ln -s {directory} /out; ln -s /proc/1/root /magic; exec sleep 600");
        await Eventually.TrueAsync(async () => (await Docker.RunAsync("exec", id, "test", "-L", "/magic")).ExitCode == 0, "the links are there");

        foreach (var client in new[] { Docker, Wherry })
        {
            (await client.RunAsync("cp", $"{id}:/out/secret", $"{directory}/copy")).Refused("secret");
            (await client.RunAsync("cp", $"{id}:/magic/etc/passwd", $"{directory}/copy")).Refused("/magic");
            Assert.False(File.Exists($"{directory}/copy"));
        }

        await Docker.RemoveAsync(id);
    }

    [Fact]
    public async Task Bad_requests_are_refused_with_their_status()
    {
        using var rest = Engine.Rest();
        var id = await Docker.TextAsync("create", "busybox", "true");

        Assert.Equal(400, (await rest.GetAsync($"/containers/{id}/archive")).Status);
        Assert.Equal(404, (await rest.GetAsync($"/containers/{id}/archive?path=/none")).Status);
        Assert.Equal(404, (await rest.GetAsync("/containers/none/archive?path=/")).Status);
        Assert.Equal(404, (await rest.SendAsync(HttpMethod.Head, $"/containers/{id}/archive?path=/none")).Status);
        Assert.Equal(400, (await rest.SendAsync(HttpMethod.Put, $"/containers/{id}/archive?path=/etc/passwd", "x", "application/x-tar")).Status);
        var garbage = await rest.SendAsync(HttpMethod.Put, $"/containers/{id}/archive?path=/", Encoding.ASCII.GetString(new byte[700]).Replace('\0', 'z'), "application/x-tar");
        Assert.Equal(400, garbage.Status);
        Assert.Contains("not a tar archive", garbage.Message, StringComparison.Ordinal);
        await Docker.RemoveAsync(id);
    }
}
