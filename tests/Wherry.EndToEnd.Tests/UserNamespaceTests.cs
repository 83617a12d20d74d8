using System.Formats.Tar;
using System.Globalization;
using System.Net;

namespace Wherry.EndToEnd.Tests;

/// <summary>
/// User namespaces per container. Docker's command line can't ask for them, so wherry makes the containers; what is
/// done to them afterwards, both do.
/// </summary>
public sealed class UserNamespaceTests(EngineFixture fixture) : EngineTests(fixture)
{
    private const string Owners = "stat -c %u:%g";

    [Fact]
    public async Task Auto_gives_each_container_ids_that_no_other_has_and_takes_them_back()
    {
        var ids = new List<string>();
        foreach (var size in new[] { "auto", "auto:size=1000", "auto" })
        {
            ids.Add(await Wherry.DetachedAsync("--userns", size, "busybox", "sleep", "600"));
        }

        var maps = new List<(long First, long Count)>();
        foreach (var id in ids)
        {
            maps.Add((await MapAsync(id))[0]);
        }

        Assert.Equal([65_536, 1000, 65_536], maps.Select(map => map.Count));
        Assert.All(maps, map => Assert.True(map.First >= 65_536));
        var sorted = maps.Order().ToArray();
        Assert.All(sorted.Zip(sorted.Skip(1)), pair => Assert.True(pair.First.First + pair.First.Count <= pair.Second.First, $"{pair.First} and {pair.Second} overlap"));

        await Wherry.RemoveAsync(ids[1]);
        var again = await Wherry.DetachedAsync("--userns", "auto:size=1000", "busybox", "sleep", "600");
        Assert.Equal(maps[1], (await MapAsync(again))[0]);
        await Wherry.RemoveAsync(ids[0], ids[2], again);
    }

    [Fact]
    public async Task Many_at_once_get_different_ids()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Wherry.TextAsync("create", "--userns", "auto", "busybox", "true")));
        var firsts = new HashSet<string>();
        foreach (var id in made)
        {
            using var report = System.Text.Json.JsonDocument.Parse(await Wherry.TextAsync("security", "--format", "json", id));
            Assert.True(firsts.Add(report.RootElement.GetProperty("UserMappings")[0].GetString()!));
        }

        await Wherry.RemoveAsync(made);
    }

    [Fact]
    public async Task A_range_is_given_as_it_was_asked_for()
    {
        var id = await Wherry.DetachedAsync("--userns", "300000:1000,400000:500", "busybox", "sleep", "600");
        Assert.Equal([(300_000, 1000)], await MapAsync(id));
        Assert.Equal([(400_000, 500)], await MapAsync(id, "gid_map"));
        Assert.Equal("300000:1000,400000:500", await Docker.FieldAsync(id, "{{.HostConfig.UsernsMode}}"));
        Assert.Equal("0:0", await Docker.TextAsync("exec", id, "sh", "-c", "echo $(id -u):$(id -g)"));

        // A range that was named may be named again; one that was given to a container alone may not.
        await Wherry.TextAsync("run", "--rm", "--userns", "300500:10", "busybox", "true");
        var alone = await Wherry.DetachedAsync("--userns", "auto", "busybox", "sleep", "600");
        var first = (await MapAsync(alone))[0].First;
        (await Wherry.RunAsync("create", "--userns", $"{first + 5}:10", "busybox", "true")).Refused("for itself alone");
        await Wherry.RemoveAsync(id, alone);
    }

    [Theory]
    [InlineData("0:65536", "root")]
    [InlineData("200000:0", "empty")]
    [InlineData("4294967000:1000", "beyond the last id")]
    [InlineData("200000:x", "FIRST:COUNT")]
    [InlineData("auto:size=0", "size=0")]
    [InlineData("auto:size=4294967294", "left")]
    [InlineData("auto:colour=red", "colour")]
    [InlineData("keep-id", "root asks")]
    [InlineData("container:no-such", "no-such")]
    [InlineData("nonsense", "USER mode")]
    public async Task Nonsense_is_refused_and_leaves_nothing(string mode, string complaint)
    {
        var before = await Wherry.TextAsync("ps", "-aq");
        (await Wherry.RunAsync("create", "--userns", mode, "busybox", "true")).Refused(complaint);
        Assert.Equal(before, await Wherry.TextAsync("ps", "-aq"));
    }

    [Theory]
    [InlineData("--privileged", "privileged mode is incompatible with user namespaces")]
    [InlineData("--network=host", "cannot share the host's network namespace")]
    [InlineData("--pid=host", "cannot share the host PID namespace")]
    public async Task What_needs_the_hosts_user_namespace_is_refused_as_docker_does(string option, string complaint)
    {
        (await Wherry.RunAsync("run", "--rm", "--userns", "auto", option, "busybox", "true")).Failed(125, complaint);
        (await Wherry.RunAsync("run", "--rm", "--userns", "host", option, "busybox", "true")).Succeeded();
    }

    [Fact]
    public async Task The_hosts_ipc_and_names_can_be_shared()
    {
        Assert.Equal(
            File.ResolveLinkTarget("/proc/self/ns/ipc", false)!.Name + " " + File.ResolveLinkTarget("/proc/self/ns/uts", false)!.Name,
            await Wherry.TextAsync("run", "--rm", "--userns", "auto", "--ipc", "host", "--uts", "host", "busybox", "sh", "-c", "echo $(readlink /proc/self/ns/ipc) $(readlink /proc/self/ns/uts)"));
    }

    [Fact]
    public async Task Root_inside_can_neither_read_nor_write_what_is_the_hosts_roots()
    {
        var directory = HostDirectory();
        await File.WriteAllTextAsync(Path.Combine(directory, "secret"), "x", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(Path.Combine(directory, "secret"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string[] command = ["-v", $"{directory}:/bound", "busybox", "sh", "-c", $"cat /bound/secret; echo y > /bound/new; {Owners} /bound/secret; id -u"];

        var inside = (await Wherry.RunAsync(["run", "--rm", "--userns", "auto", .. command])).Succeeded();
        Assert.Equal(["65534:65534", "0"], inside.Lines);
        Assert.Contains("Permission denied", inside.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(directory, "new")));
        Assert.Contains("x", (await Wherry.RunAsync(["run", "--rm", .. command])).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_in_a_volume_have_plain_ids_on_disk_and_are_the_same_to_every_container()
    {
        var volume = Harness.Client.NewName("v");
        const string script = "touch /data/root /data/alice && chown 1000:1001 /data/alice";
        await Wherry.TextAsync("run", "--rm", "--userns", "auto", "-v", $"{volume}:/data", "busybox", "sh", "-c", script);

        var data = await Wherry.TextAsync("volume", "inspect", "--format", "{{.Mountpoint}}", volume);
        Assert.Equal("0:0 1000:1001", await OnHostAsync($"echo $(stat -c %u:%g {data}/root {data}/alice)"));
        foreach (var mode in new[] { "auto", "500000:2000", "host" })
        {
            Assert.Equal("0:0 1000:1001", await Wherry.TextAsync("run", "--rm", "--userns", mode, "-v", $"{volume}:/data", "busybox", "sh", "-c", "echo $(stat -c %u:%g /data/root /data/alice)"));
        }
    }

    [Fact]
    public async Task A_new_volume_is_filled_from_the_image_with_its_owners()
    {
        var image = Harness.Client.NewName("filled");
        var id = await Wherry.DetachedAsync("busybox", "sh", "-c", "mkdir /data && echo y > /data/file && chown 1000:1001 /data/file && chmod 4750 /data/file");
        await Wherry.TextAsync("wait", id);
        await Wherry.TextAsync("commit", id, image);
        foreach (var option in new[] { "", ":ro" })
        {
            var volume = Harness.Client.NewName("v");
            Assert.Equal("y 1000:1001 4750", await Wherry.TextAsync("run", "--rm", "--userns", "auto", "-v", $"{volume}:/data{option}", image, "sh", "-c", "echo $(cat /data/file) $(stat -c '%u:%g %a' /data/file)"));
            Assert.Equal("1000:1001", await OnHostAsync($"stat -c %u:%g {await Wherry.TextAsync("volume", "inspect", "--format", "{{.Mountpoint}}", volume)}/file"));
        }

        await Wherry.RemoveAsync(id);
        await Wherry.TextAsync("rmi", image);
    }

    [Fact]
    public async Task A_bind_has_the_hosts_owners_and_with_idmap_plain_ones()
    {
        var directory = HostDirectory();
        await Wherry.TextAsync("run", "--rm", "--userns", "300000:65536", "-v", $"{directory}:/bound:idmap", "busybox", "sh", "-c", "touch /bound/mapped && chown 5:6 /bound/mapped");
        Assert.Equal("5:6", await OnHostAsync($"stat -c %u:%g {directory}/mapped"));

        File.SetUnixFileMode(directory, (UnixFileMode)0x1FF);
        await Wherry.TextAsync("run", "--rm", "--userns", "300000:65536", "-v", $"{directory}:/bound", "busybox", "touch", "/bound/raw");
        Assert.Equal("300000:300000", await OnHostAsync($"stat -c %u:%g {directory}/raw"));
    }

    [Fact]
    public async Task Set_uid_programs_and_su_work_inside()
    {
        const string script = """
            echo 'root::0:0:root:/root:/bin/sh' > /etc/passwd
            echo 'alice:x:1000:1000::/:/bin/sh' >> /etc/passwd
            chmod 4755 /bin/busybox
            su alice -c 'id -u; busybox su root -c "id -u"'
            """;
        Assert.Equal("1000\n0", await Wherry.TextAsync("run", "--rm", "--userns", "auto", "busybox", "sh", "-c", script));
        Assert.DoesNotContain("\n0", (await Wherry.RunAsync("run", "--rm", "--userns", "auto", "--security-opt", "no-new-privileges", "busybox", "sh", "-c", script)).Output, StringComparison.Ordinal);
    }

    [Theory, BothClients]
    public async Task Exec_has_the_users_inside_and_their_terminals(string client)
    {
        var id = await Wherry.DetachedAsync("--userns", "auto", "busybox", "sleep", "600");
        Assert.Equal("0", await Client(client).TextAsync("exec", id, "id", "-u"));
        Assert.Equal("7:8 out", await Client(client).TextAsync("exec", "-u", "7:8", id, "sh", "-c", "echo $(id -u):$(id -g) $(echo out > /dev/stdout)"));
        Assert.Equal("out", await Client(client).TextAsync("exec", "-u", "7", id, "sh", "-c", "echo out > /dev/stdout"));
        (await Client(client).RunAsync("exec", "-u", "70000", id, "true")).Refused("");

        foreach (var user in new[] { "0", "7" })
        {
            using var terminal = Client(client).StartInTerminal("exec", "-it", "-u", user, id, "sh", "-c", "stat -c owner-%u $(tty); echo there > $(tty); sleep 1");
            await terminal.SeesAsync($"owner-{user}");
            await terminal.SeesAsync("there");
        }

        await Wherry.RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Cp_gives_the_owners_it_gives_without_a_user_namespace(string client)
    {
        var directory = HostDirectory();
        await OnHostAsync($"cd {directory} && echo x > f && chown 1000:1001 f && mkdir bound && chmod 777 bound");
        var plain = await CopiesAsync("host");
        Assert.Equal(plain, await CopiesAsync("700000:65536"));
        Assert.Contains("1000:1001", plain, StringComparison.Ordinal);

        async Task<string> CopiesAsync(string mode)
        {
            var volume = Harness.Client.NewName("v");
            var id = await Wherry.DetachedAsync("--userns", mode, "-v", $"{volume}:/vol", "-v", $"{directory}/bound:/bound", "busybox", "sh", "-c", "mkdir -p /in && touch /in/made && chown 1000:1001 /in/made && touch /ready && sleep 600");
            await Eventually.TrueAsync(async () => (await Wherry.RunAsync("exec", id, "test", "-e", "/ready")).ExitCode == 0, "it is ready");
            await CopyInAsync("a");
            await Client(client).TextAsync("kill", id);
            await CopyInAsync("b");
            var archive = Path.Combine(directory, Harness.Client.NewName("out") + ".tar");
            await OnHostAsync($"DOCKER_HOST={Engine.Host} WHERRY_HOST={Engine.Host} DOCKER_CONFIG=/nonexistent {(client == Clients.Docker ? Binaries.Docker : Binaries.Wherry)} cp {id}:/in - > {archive}");
            await Wherry.TextAsync("start", id);
            var seen = await Wherry.TextAsync("exec", id, "sh", "-c", $"{Owners} /in/* /vol/* /bound/*");
            await Wherry.RemoveAsync(id);
            await OnHostAsync($"rm -f {directory}/bound/*");
            return seen + "\n" + string.Join('\n', OwnersIn(archive));

            async Task CopyInAsync(string name)
            {
                foreach (var target in new[] { "/in", "/vol", "/bound" })
                {
                    await Client(client).TextAsync("cp", $"{directory}/f", $"{id}:{target}/{name}");
                    await Client(client).TextAsync("cp", "-a", $"{directory}/f", $"{id}:{target}/{name}-archived");
                }
            }
        }
    }

    [Theory, BothClients]
    public async Task Commit_diff_and_export_have_the_owners_inside(string client)
    {
        var (directory, image) = (HostDirectory(), Harness.Client.NewName("committed"));
        var id = await Wherry.DetachedAsync("--userns", "auto", "busybox", "sh", "-c", "echo x > /made && chown 1000:1001 /made && touch /ready && sleep 600");
        await Eventually.TrueAsync(async () => (await Wherry.RunAsync("exec", id, "test", "-e", "/ready")).ExitCode == 0, "it is ready");
        await Client(client).TextAsync("commit", id, image);
        await Client(client).TextAsync("export", "-o", $"{directory}/running.tar", id);
        Assert.Equal(["A /made", "A /ready"], (await Client(client).RunAsync("diff", id)).Succeeded().Lines.Order(StringComparer.Ordinal));
        await Client(client).TextAsync("kill", id);
        await Client(client).TextAsync("export", "-o", $"{directory}/stopped.tar", id);

        Assert.Equal("1000:1001 0:0", await Client(client).TextAsync("run", "--rm", image, "sh", "-c", "echo $(stat -c %u:%g /made /bin)"));
        foreach (var archive in new[] { "running.tar", "stopped.tar" })
        {
            var owners = OwnersIn(Path.Combine(directory, archive));
            Assert.Contains("made 1000:1001", owners);
            Assert.DoesNotContain(owners, owner => !owner.EndsWith(" 0:0", StringComparison.Ordinal) && owner != "made 1000:1001");
        }

        await Client(client).RemoveAsync(id);
        await Client(client).TextAsync("rmi", image);
    }

    [Theory, BothClients]
    public async Task Its_files_devices_and_limits_are_as_without(string client)
    {
        var id = await Wherry.DetachedAsync("--userns", "auto", "-m", "64m", "--shm-size", "1m", "--tmpfs", "/scratch:uid=5", "--device", "/dev/loop-control", "busybox", "sleep", "600");
        var script = $"{Owners} /etc/hosts /etc/hostname /etc/resolv.conf /dev/shm /dev/pts /scratch && echo x >> /etc/hosts && echo x > /dev/null && head -c 3 /dev/zero | wc -c && test -c /dev/loop-control && touch /dev/shm/f && ls /sys/fs/cgroup | wc -l && cat /proc/sys/net/ipv4/ip_unprivileged_port_start && tr -s '\\t' ' ' < /proc/sys/net/ipv4/ping_group_range";
        var lines = (await Client(client).RunAsync("exec", id, "sh", "-c", script)).Succeeded().Lines;
        Assert.Equal(["0:0", "0:0", "0:0", "0:0", "0:0", "5:0", "3"], lines[..7]);
        Assert.Equal(["0", "0 65535"], lines[8..]);
        (await Client(client).RunAsync("exec", id, "sh", "-c", "echo x > /proc/sys/kernel/core_pattern")).Refused("");
        await Wherry.RemoveAsync(id);
    }

    [Fact]
    public async Task Parameters_of_its_namespaces_can_be_set() =>
        Assert.Equal("1 77777", await Wherry.TextAsync("run", "--rm", "--userns", "auto", "--sysctl", "net.ipv4.ip_forward=1", "--sysctl", "kernel.msgmax=77777", "busybox", "sh", "-c", "echo $(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax)"));

    [Fact]
    public async Task A_read_only_root_stays_read_only() =>
        (await Wherry.RunAsync("run", "--rm", "--userns", "auto", "--read-only", "busybox", "touch", "/x")).Refused("Read-only");

    [Fact]
    public async Task A_published_low_port_of_an_ordinary_user_answers()
    {
        var id = await Wherry.DetachedAsync("--userns", "auto", "-u", "1000", "-p", "127.0.0.1::80", "busybox", "nc", "-ll", "-p", "80", "-e", "echo", "mapped");
        var port = (await Docker.TextAsync("port", id, "80")).Split(':')[^1];
        Assert.Equal("mapped", await Ports.AskUntilAnsweredAsync(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture)));
        await Wherry.RemoveAsync(id);
    }

    [Fact]
    public async Task Its_log_and_terminal_work()
    {
        var id = await Wherry.DetachedAsync("-t", "--userns", "auto", "-u", "1000", "busybox", "sh", "-c", "stat -c %u $(tty); echo there > $(tty)");
        await Wherry.TextAsync("wait", id);
        Assert.Equal(["1000", "there"], (await Docker.RunAsync("logs", id)).Succeeded().Lines);
        await Wherry.RemoveAsync(id);
        Assert.Equal("out", await Wherry.TextAsync("run", "--rm", "--userns", "auto", "-u", "1000", "busybox", "sh", "-c", "echo out > /dev/stdout"));
    }

    [Fact]
    public async Task An_engine_killed_in_between_keeps_the_ids()
    {
        var running = await Wherry.DetachedAsync("--userns", "auto", "busybox", "sleep", "600");
        var resting = await Wherry.TextAsync("create", "--userns", "auto", "busybox", "sleep", "600");
        var before = (await MapAsync(running))[0];
        await Engine.RestartAsync();

        Assert.Equal("0", await Docker.TextAsync("exec", running, "id", "-u"));
        var later = await Wherry.DetachedAsync("--userns", "auto", "busybox", "sleep", "600");
        await Wherry.TextAsync("start", resting);
        Assert.Equal(3, new[] { before.First, (await MapAsync(later))[0].First, (await MapAsync(resting))[0].First }.Distinct().Count());
        await Wherry.TextAsync("restart", "-t", "0", running);
        Assert.Equal(before, (await MapAsync(running))[0]);
        await Wherry.RemoveAsync(running, resting, later);
    }

    [Fact]
    public async Task Security_tells_of_it()
    {
        var id = await Wherry.DetachedAsync("--userns", "300000:1000", "--cap-add", "SYS_ADMIN", "busybox", "sleep", "600");
        var text = await Wherry.TextAsync("security", id);
        Assert.Contains("0 300000 1000", text, StringComparison.Ordinal);
        Assert.Matches("Own namespaces:.*user", text);
        Assert.DoesNotContain("root is the host's root", text, StringComparison.Ordinal);
        Assert.DoesNotContain("critical", text, StringComparison.Ordinal);
        Assert.Contains("root is the host's root", await Wherry.TextAsync("security", await Wherry.TextAsync("create", "busybox", "true")), StringComparison.Ordinal);
        await Wherry.RemoveAsync(id);
    }

    private static List<string> OwnersIn(string archive)
    {
        using var stream = File.OpenRead(archive);
        using var reader = new TarReader(stream);
        var owners = new List<string>();
        while (reader.GetNextEntry() is { } entry)
        {
            owners.Add(string.Create(CultureInfo.InvariantCulture, $"{entry.Name.TrimEnd('/')} {entry.Uid}:{entry.Gid}"));
        }

        return owners;
    }

    private async Task<List<(long First, long Count)>> MapAsync(string container, string file = "uid_map")
    {
        var pid = await Wherry.FieldAsync(container, "{{.State.Pid}}");
        return
        [
            .. from line in await File.ReadAllLinesAsync($"/proc/{pid}/{file}")
               let fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
               select (long.Parse(fields[1], CultureInfo.InvariantCulture), long.Parse(fields[2], CultureInfo.InvariantCulture)),
        ];
    }

    private static async Task<string> OnHostAsync(string script) => (await Command.ShellAsync(script)).Succeeded().Text;
}
