using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Conformance;

[Collection(ContainerCollection.Name)]
public sealed class NamespaceTests
{
    private const string AllTypes = "pid mount network ipc uts user cgroup time";

    [Theory]
    [InlineData("pid", "pid")]
    [InlineData("mount", "mnt")]
    [InlineData("network", "net")]
    [InlineData("ipc", "ipc")]
    [InlineData("uts", "uts")]
    [InlineData("user", "user")]
    [InlineData("cgroup", "cgroup")]
    [InlineData("time", "time")]
    [SpecProperty("linux.namespaces[].type")]
    public async Task Each_namespace_is_made(string type, string file)
    {
        Assert.Contains(type, AllTypes);
        var output = await OutputOfAsync($"readlink /proc/self/ns/{file}", request => WithNamespaces(type == "user" ? Mapped(request) : request, new Namespace(type)));
        Assert.StartsWith(file + ":", output);
        Assert.NotEqual(new FileInfo("/proc/self/ns/" + file).LinkTarget, output.Trim());
    }

    [Theory]
    [InlineData("pid", "pid")]
    [InlineData("network", "net")]
    [InlineData("ipc", "ipc")]
    [InlineData("uts", "uts")]
    [InlineData("cgroup", "cgroup")]
    [InlineData("time", "time")]
    [SpecProperty("linux.namespaces[].path")]
    public async Task Each_namespace_is_joined(string type, string file)
    {
        await using var first = await StartAsync(["sleep", "1000"], request => WithNamespaces(request, new Namespace("time")));
        var path = $"/proc/{first.Sandbox.HostPid}/ns/{file}";
        await using var second = await StartAsync(["sleep", "1000"], request => WithNamespaces(request, new Namespace(type, path)));
        Assert.Equal(new FileInfo(path).LinkTarget, new FileInfo($"/proc/{second.Sandbox.HostPid}/ns/{file}").LinkTarget);
        var (code, stdout, stderr) = await second.ExecAsync(["readlink", $"/proc/self/ns/{file}"]);
        Assert.True(code == 0, stderr);
        Assert.Equal(new FileInfo(path).LinkTarget, stdout.Trim());
    }

    [Fact]
    [SpecProperty("linux.namespaces[].path")]
    public async Task A_joined_pid_namespace_shows_the_others_processes_and_outlives_the_joiner()
    {
        await using var first = await StartAsync(["sleep", "1234"]);
        await using (var second = await StartAsync(["sh", "-c", "sleep 4321 & ps -o args; exit 3"], request => WithNamespaces(request, new Namespace("pid", $"/proc/{first.Sandbox.HostPid}/ns/pid"))))
        {
            Assert.Equal(3, (await second.ExitAsync()).ExitCode);
            Assert.Contains("sleep 1234", second.Log("stdout"));
        }

        // What the second left running ended with it, the first did not.
        var processes = (await first.ExecAsync(["ps", "-o", "args"])).Stdout;
        Assert.Contains("sleep 1234", processes);
        Assert.DoesNotContain("sleep 4321", processes);
    }

    [Fact]
    [SpecProperty("linux.namespaces[].path")]
    public async Task A_joined_mount_namespace_shows_what_is_mounted_there()
    {
        await using var first = await StartAsync(["sh", "-c", "echo here > /dev/shm/seen; sleep 1000"]);
        await Until(() => File.Exists($"/proc/{first.Sandbox.HostPid}/root/dev/shm/seen"));
        var output = await OutputOfAsync("cat /dev/shm/seen; readlink /proc/self/ns/mnt", request => WithNamespaces(request, new Namespace("mount", $"/proc/{first.Sandbox.HostPid}/ns/mnt")) with
        {
            Spec = WithNamespaces(request, new Namespace("mount", $"/proc/{first.Sandbox.HostPid}/ns/mnt")).Spec with { Root = new Root { Path = "/" }, Mounts = [new Mount { Destination = "/proc", Type = "proc", Source = "proc" }] },
        });
        Assert.Equal($"here\n{new FileInfo($"/proc/{first.Sandbox.HostPid}/ns/mnt").LinkTarget}\n", output);
    }

    [Fact]
    [SpecProperty("linux.uidMappings")]
    [SpecProperty("linux.gidMappings")]
    public async Task Ids_are_mapped_and_files_made_inside_keep_their_owner_on_disk()
    {
        await using var container = await StartAsync(
            ["sh", "-c", "cat /proc/self/uid_map /proc/self/gid_map; id -u; touch /made; stat -c %u:%g /made /bin/busybox; sleep 1000"],
            request => WithNamespaces(Mapped(request), new Namespace("user")));
        await Until(() => container.Log("stdout").Split('\n').Length > 5 || container.Log("stderr").Length > 0);
        Assert.Equal("", container.Log("stderr"));
        Assert.Equal(["0 200000 65536", "0 300000 65536", "0", "0:0", "0:0"], container.Log("stdout").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
        Assert.Contains("Uid:\t200000\t200000", File.ReadAllText($"/proc/{container.Sandbox.HostPid}/status"));
        Assert.Contains("Gid:\t300000\t300000", File.ReadAllText($"/proc/{container.Sandbox.HostPid}/status"));
        Assert.Equal(0u, Linux.Files.FileStatus.At(null, Path.Combine(container.Location.BundleDirectory, "upper/made"))!.Value.Uid);
    }

    [Fact]
    [SpecProperty("linux.uidMappings")]
    public async Task A_container_in_a_user_namespace_is_complete()
    {
        await using var container = await StartAsync(
            ["sh", "-c", "echo x > /dev/null && head -c1 /dev/zero | wc -c; cat /proc/sys/net/ipv4/ip_forward; hostname; ls /sys/fs/cgroup | wc -l; grep -E 'Cap(Eff|Bnd)' /proc/self/status; ulimit -n; echo x > /proc/sys/kernel/core_pattern; echo err >&2; cat /proc/kcore | wc -c; touch /x /dev/shm/y; echo again > /dev/stdout; sleep 1000"],
            request => WithLinux(WithProcess(WithNamespaces(Mapped(request), new Namespace("user")), process => process with { Rlimits = [new Rlimit("RLIMIT_NOFILE", 128, 256)], OomScoreAdj = 100 }), linux => linux with
            {
                Sysctl = new Dictionary<string, string> { ["net.ipv4.ip_forward"] = "1" },
                Resources = linux.Resources! with { Memory = new MemoryLimits { Limit = 64 << 20 }, Pids = new PidsLimit(50) },
            }));
        await Until(() => container.Log("stdout").EndsWith("again\n", StringComparison.Ordinal));
        var lines = container.Log("stdout").Split('\n');
        Assert.Equal(["1", "1", "box"], lines[..3]);
        Assert.NotEqual("0", lines[3]);
        Assert.Equal("CapEff:\t00000000a80425fb", lines[4]);
        Assert.Equal(["CapBnd:\t00000000a80425fb", "128", "0", "again"], lines[5..9]);
        Assert.Equal("100", File.ReadAllText($"/proc/{container.Sandbox.HostPid}/oom_score_adj").Trim());
        var (code, stdout, stderr) = await container.ExecAsync(["sh", "-c", "id -u; cat /proc/self/uid_map"]);
        Assert.True(code == 0, stderr);
        Assert.Contains("200000", stdout);
        Assert.StartsWith("0\n", stdout);
    }

    [Fact]
    [SpecProperty("linux.namespaces[].path")]
    public async Task A_joined_user_namespace_is_the_others()
    {
        await using var first = await StartAsync(["sleep", "1000"], request => WithNamespaces(Mapped(request), new Namespace("user")));
        var path = $"/proc/{first.Sandbox.HostPid}/ns/user";
        var output = await OutputOfAsync("readlink /proc/self/ns/user; id -u", request => WithNamespaces(Mapped(request), new Namespace("user", path)));
        Assert.Equal($"{new FileInfo(path).LinkTarget}\n0\n", output);
    }

    [Fact]
    [SpecProperty("linux.timeOffsets")]
    public async Task Clocks_are_offset_for_the_program_and_for_execs()
    {
        const long days = 100_000_000;
        await using var container = await StartAsync(["sleep", "1000"], request => WithLinux(WithNamespaces(request, new Namespace("time")), linux => linux with
        {
            TimeOffsets = new Dictionary<string, TimeOffset> { ["boottime"] = new(days, 5), ["monotonic"] = new(1000, 0) },
        }));
        Assert.Equal(["monotonic 1000 0", $"boottime {days} 5"], File.ReadLines($"/proc/{container.Sandbox.HostPid}/timens_offsets").Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
        var uptime = (await container.ExecAsync(["cat", "/proc/uptime"])).Stdout;
        Assert.InRange(double.Parse(uptime.Split(' ')[0]), days, days * 2);
    }

    [Theory]
    [InlineData("linux.timeOffsets")]
    [InlineData("linux.uidMappings")]
    [InlineData("linux.namespaces")]
    public async Task What_contradicts_itself_is_refused_by_name(string property)
    {
        await using var container = await CreateAsync(["true"], request => WithLinux(request, linux => property switch
        {
            "linux.timeOffsets" => linux with { TimeOffsets = new Dictionary<string, TimeOffset> { ["monotonic"] = new(1, 0) } },
            "linux.uidMappings" => linux with { UidMappings = [new IdMapping(0, 1, 1)] },
            _ => linux with { Namespaces = [.. linux.Namespaces.Where(ns => ns.Type != "mount")] },
        }));
        var failure = await Assert.ThrowsAsync<SandboxStartException>(() => container.Sandbox.StartAsync(Cancel));
        Assert.StartsWith(property, failure.Message);
    }

    [Fact]
    [SpecProperty("hostname")]
    [SpecProperty("domainname")]
    public async Task Names_are_the_containers_own()
    {
        var before = File.ReadAllText("/proc/sys/kernel/domainname");
        var output = await OutputOfAsync("hostname; cat /proc/sys/kernel/domainname", request => request with { Spec = request.Spec with { Hostname = "h", Domainname = "d.example" } });
        Assert.Equal("h\nd.example\n", output);
        Assert.Equal(before, File.ReadAllText("/proc/sys/kernel/domainname"));
    }

    internal static SandboxRequest Mapped(SandboxRequest request) => WithOptions(
        WithLinux(request, linux => linux with
        {
            UidMappings = [new IdMapping(0, 200_000, 65_536)],
            GidMappings = [new IdMapping(0, 300_000, 65_536)],
        }),
        options => options with { Rootfs = [options.Rootfs[0] with { IdMapped = true }] });

    internal static SandboxRequest WithNamespaces(SandboxRequest request, params Namespace[] changed) => WithLinux(request, linux => linux with
    {
        Namespaces = [.. linux.Namespaces.Where(ns => !changed.Any(other => other.Type == ns.Type)), .. changed],
    });

    internal static async Task Until(Func<bool> reached)
    {
        for (var end = Environment.TickCount64 + 30_000; !reached();)
        {
            Assert.True(Environment.TickCount64 < end, "what was waited for has not come");
            await Task.Delay(5, Cancel);
        }
    }
}
