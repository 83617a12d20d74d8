using Wherry.Linux.Cgroups;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Cgroups;

namespace Wherry.Runtime.Tests.Parts;

public sealed class CgroupTests
{
    private const string Hybrid = """
        25 20 0:21 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
        26 25 0:22 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
        27 25 0:23 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        28 25 0:24 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
        29 25 0:25 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
        """;

    [Fact]
    public void Each_controller_is_found_where_it_is()
    {
        var host = CgroupHost.Parse(Hybrid, _ => "pids hugetlb\n");
        var cgroup = host.Locate("/w/id");
        Assert.False(host.IsUnified);
        Assert.Equal("/sys/fs/cgroup/cpu,cpuacct/w/id", cgroup.V1("cpu"));
        Assert.Equal("/sys/fs/cgroup/memory/w/id", cgroup.V1("memory"));
        Assert.Null(cgroup.V1("pids"));
        Assert.Equal("/sys/fs/cgroup/unified/w/id", cgroup.V2("pids"));
        Assert.Null(cgroup.V2("memory"));
    }

    [Fact]
    public void A_v2_tree_beside_v1_that_has_nothing_of_use_is_left_alone() =>
        Assert.Null(CgroupHost.Parse(Hybrid, _ => "hugetlb").Locate("/w").Unified);

    [Fact]
    public void A_tree_in_which_nothing_can_be_made_does_not_count()
    {
        var cgroup = CgroupHost.Parse(Hybrid, _ => "pids", (_, mount) => mount.EndsWith("memory", StringComparison.Ordinal)).Locate("/w/id");
        Assert.Equal(["/sys/fs/cgroup/memory/w/id"], cgroup.All);
        Assert.Null(cgroup.V1("cpu"));
        Assert.Null(cgroup.Unified);
    }

    [Fact]
    public void A_v2_host_has_one_directory()
    {
        var host = CgroupHost.Parse("30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n", _ => "cpuset cpu io memory pids");
        Assert.True(host.IsUnified);
        Assert.Equal(["/sys/fs/cgroup/a/b"], host.Locate("a/b").All);
        Assert.Equal("/sys/fs/cgroup/a/b", host.Locate("/a/b/").V2("memory"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("")]
    [InlineData("/a/../..")]
    public void A_path_outside_the_tree_is_refused(string path) =>
        Assert.Throws<Wherry.Errors.WherryException>(() => CgroupHost.Parse(Hybrid, _ => "").Locate(path));

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1024, 39)]
    [InlineData(262144, 10000)]
    public void Shares_become_weights(ulong shares, long weight) => Assert.Equal(weight, CgroupLimits.WeightOfShares(shares));

    [Theory]
    [InlineData(false, null, null, null, null, "a")]
    [InlineData(true, "c", 1L, 3L, "rwm", "c 1:3 rwm")]
    [InlineData(true, "b", null, null, "m", "b *:* m")]
    [InlineData(true, "c", 136L, null, null, "c 136:* rwm")]
    public void Device_rules_are_v1_lines(bool allow, string? type, long? major, long? minor, string? access, string line) =>
        Assert.Equal(line, DeviceRules.Text(new DeviceRule(allow, type, major, minor, access)));

    [Fact]
    public void Device_filter_is_accepted_by_the_kernel()
    {
        Assert.SkipWhen(Environment.UserName != "root", "needs root: it loads a BPF program");
        var unified = CgroupHost.Detect().Unified;
        Assert.SkipWhen(unified is null, "needs a cgroup v2 tree");
        var directory = Path.Combine(unified!, $"wherry-runtime-tests-{Environment.ProcessId}-devices");
        Directory.CreateDirectory(directory);
        try
        {
            DeviceProgram.Attach(directory, DeviceRules.Compile(
            [
                new DeviceRule(false, Access: "rwm"), new DeviceRule(true, "c", null, null, "m"), new DeviceRule(true, "c", 1, 3, "rwm"),
                new DeviceRule(true, "c", 136, null, "rw"), new DeviceRule(false, "c", 10, 200, "w"),
            ]));
            DeviceProgram.Attach(directory, DeviceRules.Compile([new DeviceRule(true, "a")]));
        }
        finally
        {
            Directory.Delete(directory);
        }
    }

    [Fact]
    public void The_last_rule_that_matches_decides()
    {
        var compiled = DeviceRules.Compile([new DeviceRule(false), new DeviceRule(true, "c", 1, 3, "r")]);
        Assert.Equal(new DeviceMatch(true, DeviceKind.Character, 1, 3, DeviceAccess.Read), compiled[0]);
        Assert.Equal(new DeviceMatch(false, DeviceKind.Any, null, null, DeviceAccess.All), compiled[1]);
    }
}
