using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Conformance;

public abstract class NamespaceTests(RuntimeMode mode) : ConformanceTests(mode)
{
    [Collection(ContainerCollection.Name)]
    public sealed class AsRoot() : NamespaceTests(RuntimeMode.Root);

    [Collection(ContainerCollection.Name)]
    public sealed class InUserNamespace() : NamespaceTests(RuntimeMode.UserNamespaced);

    [Collection(ContainerCollection.Name)]
    public sealed class Rootless() : NamespaceTests(RuntimeMode.Rootless);

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
        var output = await OutputOfAsync($"readlink /proc/self/ns/{file}", request => WithNamespaces(type == "user" && Mode == RuntimeMode.Root ? Mapped(request) : request, type == "user" && Mode != RuntimeMode.Root ? [] : [new Namespace(type)]));
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
        await using var second = await StartAsync(["sleep", "1000"], request => WithNamespaces(request, Joined(first, new Namespace(type, path))));
        Assert.Equal(new FileInfo(path).LinkTarget, new FileInfo($"/proc/{second.Sandbox.HostPid}/ns/{file}").LinkTarget);
        var (code, stdout, stderr) = await second.ExecAsync(["readlink", $"/proc/self/ns/{file}"]);
        Assert.True(code == 0, stderr);
        Assert.Equal(new FileInfo(path).LinkTarget, stdout.Trim());
    }

    [Fact]
    [SpecProperty("linux.namespaces[].path", OtherwiseIn = RuntimeMode.Rootless, Otherwise = "all are joined along with the user namespace that owns them; what a joiner leaves in another's pid namespace goes on there until that ends")]
    public async Task A_joined_pid_namespace_shows_the_others_processes_and_outlives_the_joiner()
    {
        await using var first = await StartAsync(["sleep", "1234"]);
        await using (var second = await StartAsync(["sh", "-c", "sleep 4321 & ps -o args; exit 3"], request => WithNamespaces(request, Joined(first, new Namespace("pid", $"/proc/{first.Sandbox.HostPid}/ns/pid")))))
        {
            Assert.Equal(3, (await second.ExitAsync()).ExitCode);
            Assert.Contains("sleep 1234", second.Log("stdout"));
        }

        // What the second left running ended with it, the first did not.
        var processes = (await first.ExecAsync(["ps", "-o", "args"])).Stdout;
        Assert.Contains("sleep 1234", processes);
        Assert.Equal(IsOtherwise, processes.Contains("sleep 4321", StringComparison.Ordinal));
    }

    [Fact]
    [SpecProperty("linux.namespaces[].path", OtherwiseIn = RuntimeMode.UserNamespaced | RuntimeMode.Rootless, Otherwise = "a mount namespace is joined along with the user namespace that owns it")]
    public async Task A_joined_mount_namespace_shows_what_is_mounted_there()
    {
        await using var first = await StartAsync(["sh", "-c", "echo here > /dev/shm/seen; sleep 1000"]);
        await Until(() => File.Exists($"/proc/{first.Sandbox.HostPid}/root/dev/shm/seen"));
        var joining = Joined(first, new Namespace("mount", $"/proc/{first.Sandbox.HostPid}/ns/mnt"));
        var output = await OutputOfAsync("cat /dev/shm/seen; readlink /proc/self/ns/mnt", request => WithNamespaces(request, joining) with
        {
            Spec = WithNamespaces(request, joining).Spec with { Root = new Root { Path = "/" }, Mounts = [new Mount { Destination = "/proc", Type = "proc", Source = "proc" }] },
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
            OwnUserNamespace);
        string[] maps = Mode == RuntimeMode.Rootless ? [.. Map(HostUid), .. Map(HostUid)] : ["0 200000 65536", "0 300000 65536"];
        await Until(() => container.Log("stdout").Split('\n').Length > maps.Length + 3 || container.Log("stderr").Length > 0);
        Assert.Equal("", container.Log("stderr"));
        Assert.Equal([.. maps, "0", "0:0", "0:0"], container.Log("stdout").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
        var (uid, gid) = Mode == RuntimeMode.Rootless ? (HostUid(0), HostUid(0)) : (200_000u, 300_000u);
        Assert.Contains($"Uid:\t{uid}\t{uid}", File.ReadAllText($"/proc/{container.Sandbox.HostPid}/status"));
        Assert.Contains($"Gid:\t{gid}\t{gid}", File.ReadAllText($"/proc/{container.Sandbox.HostPid}/status"));
        // Only root can show what lies on disk through other ids.
        Assert.Equal(Mode == RuntimeMode.Rootless ? uid : 0u, Linux.Files.FileStatus.At(null, Path.Combine(container.Location.BundleDirectory, "upper/made"))!.Value.Uid);
    }

    [Fact]
    [SpecProperty("linux.uidMappings")]
    public async Task A_container_in_a_user_namespace_is_complete()
    {
        await using var container = await StartAsync(
            ["sh", "-c", "echo x > /dev/null && head -c1 /dev/zero | wc -c; cat /proc/sys/net/ipv4/ip_forward; hostname; ls /sys/fs/cgroup | wc -l; grep -E 'Cap(Eff|Bnd)' /proc/self/status; ulimit -n; echo x > /proc/sys/kernel/core_pattern; echo err >&2; cat /proc/kcore | wc -c; touch /x /dev/shm/y; echo again > /dev/stdout; sleep 1000"],
            request => WithLinux(WithProcess(OwnUserNamespace(request), process => process with { Rlimits = [new Rlimit("RLIMIT_NOFILE", 128, 256)], OomScoreAdj = 100 }), linux => linux with
            {
                Sysctl = new Dictionary<string, string> { ["net.ipv4.ip_forward"] = "1" },
                Resources = Mode == RuntimeMode.Rootless ? linux.Resources : linux.Resources! with { Memory = new MemoryLimits { Limit = 64 << 20 }, Pids = new PidsLimit(50) },
            }));
        await Until(() => container.Log("stdout").EndsWith("again\n", StringComparison.Ordinal));
        var lines = container.Log("stdout").Split('\n');
        Assert.Equal(["1", "1", "box"], lines[..3]);
        Assert.Equal(Mode == RuntimeMode.Rootless, lines[3] == "0");
        Assert.Equal("CapEff:\t00000000a80425fb", lines[4]);
        Assert.Equal(["CapBnd:\t00000000a80425fb", "128", "0", "again"], lines[5..9]);
        Assert.Equal("100", File.ReadAllText($"/proc/{container.Sandbox.HostPid}/oom_score_adj").Trim());
        var (code, stdout, stderr) = await container.ExecAsync(["sh", "-c", "id -u; cat /proc/self/uid_map"]);
        Assert.True(code == 0, stderr);
        Assert.Contains(Mode == RuntimeMode.Rootless ? $"{HostUid(0)}" : "200000", stdout);
        Assert.StartsWith("0\n", stdout);
    }

    [Fact]
    [SpecProperty("linux.namespaces[].path")]
    public async Task A_joined_user_namespace_is_the_others()
    {
        await using var first = await StartAsync(["sleep", "1000"], OwnUserNamespace);
        var path = $"/proc/{first.Sandbox.HostPid}/ns/user";
        var output = await OutputOfAsync("readlink /proc/self/ns/user; id -u", request => WithNamespaces(OwnUserNamespace(request), new Namespace("user", path)));
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
        // Without a user namespace an ordinary user gets no further.
        var expected = Mode == RuntimeMode.Rootless && property == "linux.uidMappings" ? "linux.namespaces" : property;
        await RefusedAsync(expected, request => WithLinux(request, linux => property switch
        {
            "linux.timeOffsets" => linux with { TimeOffsets = new Dictionary<string, TimeOffset> { ["monotonic"] = new(1, 0) } },
            "linux.uidMappings" => linux with { UidMappings = [new IdMapping(0, 1, 1)], Namespaces = [.. linux.Namespaces.Where(ns => ns.Type != "user")] },
            _ => linux with { Namespaces = [.. linux.Namespaces.Where(ns => ns.Type != "mount")] },
        }));
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

    // An ordinary user's has one anyway.
    private SandboxRequest OwnUserNamespace(SandboxRequest request) =>
        Mode == RuntimeMode.Rootless ? request : WithNamespaces(Mapped(request), new Namespace("user"));

    private static string[] Map(Func<uint, uint> hostId) => [$"0 {hostId(0)} 1", $"1 {hostId(1)} 65535"];

    internal static async Task Until(Func<bool> reached)
    {
        for (var end = Environment.TickCount64 + 30_000; !reached();)
        {
            Assert.True(Environment.TickCount64 < end, "what was waited for has not come");
            await Task.Delay(5, Cancel);
        }
    }
}
