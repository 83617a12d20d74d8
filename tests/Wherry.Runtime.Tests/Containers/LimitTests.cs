using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Containers;

[Collection(ContainerCollection.Name)]
public sealed class LimitTests
{
    [Fact]
    public async Task A_program_over_its_memory_limit_is_killed_and_reported()
    {
        await using var container = await StartAsync(["tail", "/dev/zero"], request => WithLinux(request, linux => linux with
        {
            Resources = linux.Resources! with { Memory = new MemoryLimits { Limit = 16 << 20, Swap = 16 << 20 } },
        }));
        var exit = await container.ExitAsync();
        Assert.True(exit.OomKilled);
        Assert.Equal(137, exit.ExitCode);
    }

    [Fact]
    public async Task A_program_over_its_process_limit_cannot_fork()
    {
        await using var container = await StartAsync(["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done; echo all"], request => WithLinux(request, linux => linux with
        {
            Resources = linux.Resources! with { Pids = new PidsLimit(5) },
        }));
        await container.ExitAsync();
        Assert.DoesNotContain("all", container.Log("stdout"));
        Assert.Contains("fork", container.Log("stderr"));
    }

    [Fact]
    public async Task A_processor_quota_is_kept()
    {
        await using var container = await StartAsync(["sh", "-c", "i=0; while true; do i=$((i+1)); done"], request => WithLinux(request, linux => linux with
        {
            Resources = linux.Resources! with { Cpu = new CpuLimits { Quota = 20_000, Period = 100_000 } },
        }));
        var pid = container.Sandbox.HostPid!.Value;
        var before = Ticks(pid);
        await Task.Delay(2000, Cancel);
        var used = Ticks(pid) - before;

        // 20% of two seconds is 40 ticks of 10 ms.
        Assert.InRange(used, 5, 60);
    }

    [Fact]
    public async Task A_program_stays_on_the_processors_given()
    {
        var output = await OutputOfAsync("grep Cpus_allowed_list /proc/self/status", request => WithLinux(request, linux => linux with
        {
            Resources = linux.Resources! with { Cpu = new CpuLimits { Cpus = "0" } },
        }));
        Assert.Equal("0", output.Split('\t')[1].Trim());
    }

    [Fact]
    public async Task Devices_not_allowed_cannot_be_opened()
    {
        // Block device 7:0 (a loop device): its node may be made, by CAP_MKNOD, but not used.
        await using var container = await StartAsync(["sh", "-c", "busybox mknod /tmp/loop b 7 0; echo $?; head -c 1 /tmp/loop; echo $?; cat /dev/zero | head -c 1 | wc -c"]);
        await container.ExitAsync();
        Assert.Equal("0\n1\n1\n", container.Log("stdout"));
        Assert.Contains("/tmp/loop: Operation not permitted", container.Log("stderr"));
    }

    [Fact]
    public async Task Resource_limits_are_set_and_clipped_with_a_warning_where_the_host_has_less()
    {
        await using var container = await StartAsync(["sh", "-c", "ulimit -n; ulimit -Hn"], request => WithProcess(request, process => process with
        {
            Rlimits = [new Rlimit("RLIMIT_NOFILE", 100, 200)],
        }));
        await container.ExitAsync();
        Assert.Equal("100\n200\n", container.Log("stdout"));
    }

    [Fact]
    public async Task What_the_host_lacks_is_left_out_and_said_or_refused_when_asked_for_by_name()
    {
        // A capability no kernel of today gives to this process: those beyond its bounding set.
        var lacking = Linux.Capabilities.Capability.AllNames.Where((_, number) => (Linux.Capabilities.CapabilitySyscalls.Read().Bounding & (1UL << number)) == 0).ToList();
        Assert.SkipWhen(lacking.Count == 0, "this host's root has every capability");
        SandboxRequest Ask(SandboxRequest request) => WithProcess(request, process => process with
        {
            Capabilities = new Oci.Runtime.Capabilities { Bounding = lacking, Effective = lacking, Permitted = lacking },
        });
        await using (var container = await StartAsync(["true"], Ask))
        {
            Assert.Contains(container.Sandbox.Warnings, warning => warning.Contains(lacking[0], StringComparison.Ordinal));
            await container.ExitAsync();
        }

        await using var refused = await CreateAsync(["true"], request => WithOptions(Ask(request), options => options with { AskedByName = [lacking[0]] }));
        var failure = await Assert.ThrowsAsync<SandboxStartException>(() => refused.Sandbox.StartAsync(Cancel));
        Assert.Contains(lacking[0], failure.Message);
    }

    [Fact]
    public async Task A_paused_container_stands_still()
    {
        await using var container = await StartAsync(["sh", "-c", "while true; do echo x; sleep 0.01; done"]);
        await Task.Delay(200, Cancel);
        await container.Sandbox.PauseAsync(Cancel);
        await Task.Delay(100, Cancel);
        var length = new FileInfo(container.LogPath).Length;
        await Task.Delay(300, Cancel);
        Assert.Equal(length, new FileInfo(container.LogPath).Length);
        await container.Sandbox.ResumeAsync(Cancel);
        await Task.Delay(300, Cancel);
        Assert.True(new FileInfo(container.LogPath).Length > length);
    }

    private static long Ticks(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11]) + long.Parse(fields[12]);
    }
}
