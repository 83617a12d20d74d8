using System.Globalization;

namespace Wherry.EndToEnd.Tests;

/// <summary>Ways out of a container that have worked in other engines, tried as a user would try them. None may work here.</summary>
public sealed class AttackTests(EngineFixture fixture) : EngineTests(fixture)
{
    /// <summary>CVE-2024-21626: a working directory reached through a descriptor the runtime left open.</summary>
    [Theory, BothClients]
    public async Task A_working_directory_through_a_descriptor_leads_nowhere(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sleep", "300");
        for (var number = 3; number < 24; number++)
        {
            var directory = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{number}");
            var run = await Client(client).RunAsync("run", "--rm", "-w", directory, "busybox", "sh", "-c", "cat ../../../../etc/hostname ../../../../proc/version 2>/dev/null; readlink /proc/self/cwd");
            Assert.False(run.ExitCode == 0 && !run.Text.EndsWith(directory, StringComparison.Ordinal) && LooksLikeTheHost(run.Output), run.ToString());
            var exec = await Client(client).RunAsync("exec", "-w", directory, id, "sh", "-c", "ls ..; ls ../../../../");
            Assert.False(exec.ExitCode == 0 && LooksLikeTheHost(exec.Output), exec.ToString());
        }

        await Client(client).RemoveAsync(id);
    }

    /// <summary>The same with a link in the image whose target only exists once the runtime has opened something.</summary>
    [Fact]
    public async Task A_linked_working_directory_leads_nowhere()
    {
        var id = await Docker.DetachedAsync("busybox", "sh", "-c", "for i in $(seq 3 31); do ln -s /proc/self/fd/$i /fd$i; done; sleep 300");
        await Eventually.TrueAsync(async () => (await Docker.RunAsync("exec", id, "test", "-L", "/fd31")).ExitCode == 0, "the links are made");
        for (var number = 3; number <= 31; number++)
        {
            var exec = await Docker.RunAsync("exec", "-w", string.Create(CultureInfo.InvariantCulture, $"/fd{number}"), id, "ls", "../../../../");
            Assert.False(exec.ExitCode == 0 && LooksLikeTheHost(exec.Output), exec.ToString());
        }

        await Docker.RemoveAsync(id);
    }

    /// <summary>CVE-2019-5736: a program of the image that is a link to the runtime's own binary, to be overwritten once it runs.</summary>
    [Fact]
    public async Task The_runtimes_binary_cannot_be_overwritten_from_inside()
    {
        var shim = Binaries.Shim;
        var before = await Digest(shim);

        // Privileged, so that nothing but the runtime's own guard stands in the way.
        const string attack =
            """
            ln -sf /proc/self/exe /bin/target
            while :; do
              for p in /proc/[0-9]*; do
                exe=$(readlink $p/exe 2>/dev/null)
                case $exe in ''|/bin/*) ;; *) (echo overwritten > $p/exe) 2>/dev/null && echo wrote $exe; (exec 9<$p/exe && echo overwritten > /proc/self/fd/9) 2>/dev/null && echo wrote9 $exe ;; esac
              done
            done
            """;
        var id = await Docker.DetachedAsync("--privileged", "--init", "busybox", "sh", "-c", attack);
        for (var i = 0; i < 20; i++)
        {
            await Docker.RunAsync("exec", id, "/bin/target");
            await Docker.RunAsync("exec", id, "/proc/self/exe", "true");
        }

        Assert.DoesNotContain("wrote", await Docker.TextAsync("logs", id), StringComparison.Ordinal);

        // Refused not only because it runs, which it does not for ever: what leads to it is read-only.
        (await Docker.RunAsync("exec", "--privileged", id, "sh", "-c", "echo overwritten > /proc/1/exe")).Refused("Read-only file system");
        await Docker.RemoveAsync(id);
        Assert.Equal(before, await Digest(shim));
    }

    /// <summary>CVE-2025-31133 and its kind: what is to be masked, or the console, is a link in the image.</summary>
    [Fact]
    public async Task Links_where_the_runtime_mounts_do_not_lead_it_out()
    {
        var victim = Path.Combine(HostDirectory(), "victim");
        await File.WriteAllTextAsync(victim, "untouched", TestContext.Current.CancellationToken);
        var image = Client(Clients.Docker);
        var maker = Harness.Client.NewName("maker");
        await image.TextAsync(
            "run", "--name", maker, "busybox", "sh", "-c",
            $"rm -rf /dev/* /proc 2>/dev/null; rm -rf /etc/hosts /etc/hostname; ln -s {victim} /etc/hosts; ln -s /proc/sys/kernel/core_pattern /etc/hostname; mkdir -p /work; ln -s /proc /work/proc; ln -s ../../../../../../..{victim} /data");
        await image.TextAsync("commit", maker, "trapped");
        await image.RemoveAsync(maker);
        var pattern = await File.ReadAllTextAsync("/proc/sys/kernel/core_pattern", TestContext.Current.CancellationToken);

        // Where the links lead is inside the container, and there the mounts are.
        foreach (var (options, script, expected) in new (string[], string, string)[]
        {
            ([], "cat /etc/hosts; echo x >> /etc/hosts; echo '|/bin/evil' >> /etc/hostname; true", "localhost"),
            (["-v", "/data"], "echo x > /data/x; cat /proc/self/mountinfo", $" {victim} "),
            (["--tmpfs", "/work/proc/sys:size=4320k"], "echo x > /proc/sys/kernel/core_pattern; cat /proc/self/mountinfo", "size=4320k"),
            (["-w", "/data"], "pwd -P", victim),
        })
        {
            Assert.Contains(expected, await image.TextAsync(["run", "--rm", .. options, "trapped", "sh", "-c", script]), StringComparison.Ordinal);
        }

        Assert.Equal("untouched", await File.ReadAllTextAsync(victim, TestContext.Current.CancellationToken));
        Assert.Equal(pattern, await File.ReadAllTextAsync("/proc/sys/kernel/core_pattern", TestContext.Current.CancellationToken));
        await image.TextAsync("rmi", "trapped");
    }

    /// <summary>CVE-2021-30465, CVE-2025-52565, CVE-2025-52881: links in a volume are swapped while a container that mounts inside it is started again and again.</summary>
    [Fact]
    public async Task A_race_over_a_mount_target_in_a_shared_volume_is_not_won()
    {
        var volume = Harness.Client.NewName("race");
        var outside = HostDirectory();
        await File.WriteAllTextAsync(Path.Combine(outside, "secret"), "of the host", TestContext.Current.CancellationToken);
        var shared = await Docker.TextAsync("volume", "inspect", "--format", "{{.Mountpoint}}", (await Docker.TextAsync("volume", "create", volume)));
        Directory.CreateDirectory($"{shared}/inside");
        foreach (var (name, target) in new[] { ("a", "inside"), ("b", outside) })
        {
            File.CreateSymbolicLink($"{shared}/{name}", target);
        }

        using var swapper = new Swapper($"{shared}/a", $"{shared}/b");
        var started = 0;
        for (var i = 0; i < 30; i++)
        {
            // What is mounted outside is nowhere in the container; what is made for a mount outside is seen on the host.
            var run = await Docker.RunAsync("run", "--rm", "-v", $"{volume}:/shared", "--tmpfs", "/shared/a:size=4320k", "-v", $"{outside}:/shared/b/inner:ro", "busybox", "sh", "-c", "cat /shared/a/secret; touch /shared/a/mark; ls -A /shared/a; cat /proc/self/mountinfo");
            Assert.DoesNotContain("of the host", run.Output, StringComparison.Ordinal);
            if (run.Output.Contains(" - proc ", StringComparison.Ordinal))
            {
                started++;
                Assert.Contains("size=4320k", run.Output, StringComparison.Ordinal);
                Assert.Contains("/inner ro", run.Output, StringComparison.Ordinal);
            }
        }

        Assert.True(started > 0 && swapper.Count > started, "nothing was raced for");
        Assert.Equal(["secret"], Directory.GetFileSystemEntries(outside).Select(Path.GetFileName));
        Assert.DoesNotContain(File.ReadLines("/proc/self/mounts"), line => line.Contains(outside, StringComparison.Ordinal));
    }

    /// <summary>release_agent of cgroup v1 and core_pattern: programs that the kernel itself would run on the host.</summary>
    [Theory, BothClients]
    public async Task The_kernel_cannot_be_made_to_run_a_program_on_the_host(string client)
    {
        string[] attacks =
        [
            "for f in /sys/fs/cgroup/release_agent /sys/fs/cgroup/*/release_agent; do echo /evil > $f && exit 0; done; exit 1",
            "mkdir -p /tmp/c && mount -t cgroup -o memory cgroup /tmp/c",
            "mkdir -p /tmp/c && mount -t cgroup2 cgroup /tmp/c",
            "unshare -UrmC sh -c 'mkdir -p /tmp/c; mount -t cgroup -o rdma cgroup /tmp/c'",
            "echo '|/evil' > /proc/sys/kernel/core_pattern",
            "echo /evil > /proc/sys/kernel/modprobe",
            "echo /evil > /sys/kernel/uevent_helper",
            "echo ':x:M::xx::/evil:' > /proc/sys/fs/binfmt_misc/register",
            "mount -o remount,rw /proc/sys",
            "mount --bind / /mnt",
            "umount /proc/sys",
            "mkdir /sys/fs/cgroup/made || mkdir /sys/fs/cgroup/pids/made",
        ];
        foreach (var attack in attacks)
        {
            (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", attack)).Refused("");
        }

        // Each layer holds alone: without the filter what is left are capabilities and read-only mounts.
        foreach (var attack in attacks.Where(attack => !attack.StartsWith("unshare", StringComparison.Ordinal)))
        {
            (await Client(client).RunAsync("run", "--rm", "--security-opt", "seccomp=unconfined", "busybox", "sh", "-c", attack)).Refused("");
        }

        // The filter alone keeps namespaces from being made, in which root would have every capability.
        (await Client(client).RunAsync("run", "--rm", "busybox", "unshare", "-Ur", "true")).Refused("Operation not permitted");
    }

    [Theory, BothClients]
    public async Task Processes_of_the_host_can_be_neither_signalled_nor_traced(string client)
    {
        var own = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        (await Client(client).RunAsync("run", "--rm", "busybox", "kill", "-0", own)).Refused("No such process");

        // Seen, with the host's pid namespace, and yet out of reach: no capability to trace, and other users' files.
        (await Client(client).RunAsync("run", "--rm", "--pid", "host", "-u", "1000", "busybox", "kill", "-0", own)).Refused("not permitted");
        (await Client(client).RunAsync("run", "--rm", "--pid", "host", "busybox", "ls", $"/proc/{own}/root/")).Refused("Permission denied");
        (await Client(client).RunAsync("run", "--rm", "--pid", "host", "busybox", "cat", $"/proc/{own}/mem")).Refused("Permission denied");
    }

    /// <summary>
    /// The host's /proc within reach, as leaked descriptors have put it: a user whose id is also one of the host's could
    /// go on from there to the host's whole file system by way of that user's processes.
    /// </summary>
    [Theory, BothClients]
    public async Task With_the_hosts_proc_in_sight_no_process_of_the_host_is_a_way_out(string client)
    {
        Assert.SkipUnless(await Wherry.TextAsync("info", "--format", "{{.KernelVersion}}") is var kernel && IsAtLeast(kernel, 6, 15), $"Linux {kernel} cannot confine signals and tracing");
        var user = "23456:23456";
        using var victim = Command.Start("setpriv", ["--reuid", "23456", "--regid", "23456", "--clear-groups", "sleep", "300"], null);
        try
        {
            var way = string.Create(CultureInfo.InvariantCulture, $"/host-proc/{victim.Id}");
            await Eventually.TrueAsync(async () => (await Command.RunAsync("stat", "-c", "%u", $"/proc/{victim.Id}")).Text == "23456", "the victim has changed its user");
            foreach (var attack in new[] { $"ls {way}/root/", $"ls {way}/cwd/", $"cat {way}/environ", $"cat {way}/fd/0", $"cat {way}/ns/mnt", $"head -c 1 {way}/mem" })
            {
                (await Client(client).RunAsync("run", "--rm", "-v", "/proc:/host-proc", "-u", user, "busybox", "sh", "-c", attack)).Refused("denied");
            }

            // Also for programs run later, and for root that becomes that user.
            var id = await Client(client).DetachedAsync("-v", "/proc:/host-proc", "busybox", "sleep", "300");
            (await Client(client).RunAsync("exec", "-u", user, id, "ls", $"{way}/root/")).Refused("denied");
            (await Client(client).RunAsync("exec", "--privileged", "-u", user, id, "ls", $"{way}/root/")).Refused("denied");
            Assert.Equal("true", await Wherry.TextAsync("security", "--format", "{{.SignalScope}}", id));
            await Client(client).RemoveAsync(id);

            // It is the domain that does it: whoever is given the right to trace is in none.
            Assert.Contains("etc", await Client(client).TextAsync("run", "--rm", "-v", "/proc:/host-proc", "--cap-add", "SYS_PTRACE", "-u", user, "busybox", "ls", $"{way}/root/"), StringComparison.Ordinal);
        }
        finally
        {
            victim.Kill();
            await victim.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>What is confined to the container still works in it: signals, tracing's questions and mounts among its own.</summary>
    [Theory, BothClients]
    public async Task Confined_processes_of_a_container_still_reach_one_another(string client)
    {
        var id = await Client(client).DetachedAsync("--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined", "busybox", "sh", "-c", "trap 'exit 9' USR1; while :; do sleep 0.1; done");
        Assert.Contains("etc", await Client(client).TextAsync("exec", id, "ls", "/proc/1/root/"), StringComparison.Ordinal);
        (await Client(client).RunAsync("exec", id, "sh", "-c", "mount -t tmpfs tmpfs /mnt && umount /mnt")).Succeeded();
        using var sleeper = Client(client).Start("exec", id, "sh", "-c", "echo $$ > /sleeper; exec sleep 200");
        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("exec", id, "sh", "-c", "kill -9 $(cat /sleeper)")).ExitCode == 0, "one exec ends another");
        await sleeper.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(137, sleeper.ExitCode);
        (await Client(client).RunAsync("exec", id, "kill", "-USR1", "1")).Succeeded();
        Assert.Equal("9", await Client(client).TextAsync("wait", id));
        await Client(client).RemoveAsync(id);
    }

    private static bool IsAtLeast(string kernel, int major, int minor)
    {
        var parts = kernel.Split('.', '-');
        return (int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture)).CompareTo((major, minor)) >= 0;
    }

    [Theory, BothClients]
    public async Task Devices_of_the_host_cannot_be_read_raw(string client)
    {
        // Disks, the kernel's log and its control of loop devices, tun and fuse: what of them this host itself can open, a
        // container given the right to it can open as well, so that it is the rules which keep others from it.
        var devices = File.ReadLines("/proc/partitions").Skip(2).Take(3)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(fields => $"b {fields[0]} {fields[1]}")
            .Concat(["b 7 0", "c 1 11", "c 10 200", "c 10 229", "c 10 237"]);
        var opened = 0;
        foreach (var device in devices)
        {
            string[] attack = ["busybox", "sh", "-c", $"mknod /raw {device} && : < /raw"];
            (await Client(client).RunAsync(["run", "--rm", .. attack])).Refused("not permitted");
            (await Client(client).RunAsync(["run", "--rm", "--security-opt", "seccomp=unconfined", .. attack])).Refused("not permitted");
            var (kind, number) = (device[..1], device[2..].Replace(' ', ':'));
            opened += (await Client(client).RunAsync(["run", "--rm", "--device-cgroup-rule", $"{kind} {number} r", .. attack])).ExitCode == 0 ? 1 : 0;
        }

        Assert.True(opened > 0, "none of the devices could have been opened anyway");
        foreach (var memory in new[] { "1 1", "1 2", "1 4", "10 1" })
        {
            (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", $"mknod /memory c {memory} && head -c 1 /memory")).Refused("");
        }
    }

    /// <summary>What a container uses up must be its own.</summary>
    [Fact]
    public async Task Bombs_hurt_their_own_container_only()
    {
        var neighbour = await Docker.DetachedAsync("busybox", "sh", "-c", "while :; do echo alive; sleep 0.2; done");
        var forks = await Docker.DetachedAsync("--pids-limit", "64", "busybox", "sh", "-c", "bomb() { bomb | bomb & }; bomb; sleep 300");
        var sleepers = await Docker.DetachedAsync("--pids-limit", "64", "busybox", "sh", "-c", "sh -c 'while :; do sleep 300 & done'; echo ended; sleep 300");
        var memory = await Docker.DetachedAsync("-m", "32m", "--memory-swap", "32m", "busybox", "sh", "-c", "dd if=/dev/zero of=/dev/null bs=100M count=1; echo ended $?; sleep 300");
        var files = await Docker.DetachedAsync("--ulimit", "nofile=256:256", "busybox", "sh", "-c", "sh -c 'i=10; while [ $i -lt 400 ]; do eval \"exec $i</dev/null\" || exit; echo $i; i=$((i+1)); done'; echo ended; sleep 300");
        var disk = await Docker.DetachedAsync("--tmpfs", "/fill:size=4m", "busybox", "sh", "-c", "head -c 16m /dev/zero > /fill/x; echo ended $(stat -c %s /fill/x); sleep 300");
        await Eventually.TrueAsync(async () => (await Docker.TextAsync("logs", neighbour)).Split('\n').Length > 10, "the neighbour goes on", 60);

        // That the neighbour is well says little unless each bomb has gone off, and met its limit.
        await Eventually.TrueAsync(async () => (await Docker.TextAsync("logs", sleepers)).Contains("ended", StringComparison.Ordinal), "processes run out", 60);
        Assert.InRange((await Docker.RunAsync("top", sleepers)).Succeeded().Lines.Length - 1, 32, 64);
        await Eventually.TrueAsync(async () => (await Docker.TextAsync("logs", memory)).EndsWith("ended 137", StringComparison.Ordinal), "memory runs out", 60);
        await Eventually.TrueAsync(async () => (await Docker.TextAsync("logs", files)).EndsWith("255\nended", StringComparison.Ordinal), "descriptors run out", 60);
        await Eventually.TrueAsync(async () => (await Docker.TextAsync("logs", disk)).EndsWith("ended 4194304", StringComparison.Ordinal), "the tmpfs is full", 60);
        Assert.Contains(neighbour[..12], await Docker.TextAsync("ps", "-q"), StringComparison.Ordinal);
        Assert.Equal("fine", await Docker.TextAsync("run", "--rm", "busybox", "echo", "fine"));
        Assert.Equal("fine", await Docker.TextAsync("exec", neighbour, "echo", "fine"));
        await Docker.RemoveAsync(neighbour, forks, sleepers, memory, files, disk);
    }

    /// <summary>Environment, labels, names and arguments that try to be something else.</summary>
    [Fact]
    public async Task Hostile_words_stay_words()
    {
        var id = await Docker.TextAsync("create", "-e", "LD_PRELOAD=/evil.so", "-e", "A=b\nC=d", "-l", "x=\"},{\"", "busybox", "sh", "-c", "echo '$A' \"$A\" \"$C\"");
        Assert.Equal("$A b\nC=d \n", (await Docker.RunAsync("start", "-a", id)).Succeeded().Output);
        Assert.Equal("\"},{\"", await Docker.FieldAsync(id, "{{.Config.Labels.x}}"));
        (await Docker.RunAsync("run", "--rm", "--hostname", "a\nb", "busybox", "true")).Refused("hostname");
        (await Docker.RunAsync("run", "--rm", "-v", "/tmp:/../../../etc", "busybox", "true")).Succeeded();
        (await Docker.RunAsync("run", "--rm", "--name", "../../x", "busybox", "true")).Refused("Invalid container name");
        await Docker.RemoveAsync(id);
    }

    private static bool LooksLikeTheHost(string output) =>
        output.Contains(Environment.MachineName + "\n", StringComparison.Ordinal) || output.Contains("Wherry.slnx", StringComparison.Ordinal) || output.Split('\n').Contains("boot");

    private static async Task<string> Digest(string path)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexString(await System.Security.Cryptography.SHA256.HashDataAsync(file, TestContext.Current.CancellationToken));
    }
}
