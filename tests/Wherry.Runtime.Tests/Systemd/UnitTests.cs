using Wherry.Errors;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Systemd;

namespace Wherry.Runtime.Tests.Systemd;

/// <summary>What a configuration comes to as a unit of systemd's.</summary>
public sealed class UnitTests
{
    private const string Drivers = """
        Character devices:
          1 mem
        136 pts

        Block devices:
          8 sd
        """;

    [Theory]
    [InlineData("", "/system.slice/wherry-oci-c1.scope")]
    [InlineData("machine.slice:libpod:abc", "/machine.slice/libpod-abc.scope")]
    [InlineData(":libpod:abc", "/system.slice/libpod-abc.scope")]
    [InlineData("a-b-c.slice:p:x", "/a.slice/a-b.slice/a-b-c.slice/p-x.scope")]
    [InlineData("-.slice:p:x", "/p-x.scope")]
    [InlineData("a.slice::x", "/a.slice/x.scope")]
    public void A_path_names_a_slice_and_a_scope(string path, string cgroup) =>
        Assert.Equal(cgroup, ScopeName.Parse(path, "c1").CgroupPath);

    [Theory]
    [InlineData("", "/user.slice/wherry-oci-c1.scope")]
    [InlineData(":libpod:c1", "/user.slice/libpod-c1.scope")]
    [InlineData("a-b.slice:libpod:c1", "/a.slice/a-b.slice/libpod-c1.scope")]
    public void A_users_lies_in_the_slice_of_users(string path, string cgroup) =>
        Assert.Equal(cgroup, ScopeName.Parse(path, "c1", isUsers: true).CgroupPath);

    [Theory]
    [InlineData("/a/b")]
    [InlineData("a:b")]
    [InlineData("a:b:c:d")]
    [InlineData("a:b:c")]
    [InlineData("-a.slice:b:c")]
    [InlineData("a-.slice:b:c")]
    [InlineData("../x.slice:b:c")]
    [InlineData("a.slice:b:../c")]
    [InlineData("a.slice:b:c d")]
    public void A_path_that_names_none_is_refused(string path) =>
        Assert.Throws<WherryException>(() => ScopeName.Parse(path, "c1"));

    [Fact]
    public void Limits_are_told_in_the_terms_of_the_hosts_trees()
    {
        var resources = new Resources
        {
            Memory = new MemoryLimits { Limit = 100, Swap = 150, Reservation = 50 },
            Cpu = new CpuLimits { Shares = 1024, Quota = 12_345, Period = 50_000, Cpus = "0-1,9", Mems = "0" },
            Pids = new PidsLimit(-1),
            BlockIo = new BlockIoLimits { Weight = 1000 },
        };
        Assert.Equal(
            [
                new UnitProperty("MemoryMax", 100UL), new UnitProperty("MemoryLow", 50UL), new UnitProperty("MemorySwapMax", 50UL),
                new UnitProperty("CPUWeight", 39UL), new UnitProperty("CPUQuotaPeriodUSec", 50_000UL), new UnitProperty("CPUQuotaPerSecUSec", 250_000UL),
            ],
            new UnitLimits(isUnified: true).Of(resources).Take(6));
        Assert.Equal(
            [new byte[] { 3, 2 }, new byte[] { 1 }, ulong.MaxValue, 10_000UL],
            new UnitLimits(isUnified: true).Of(resources).Skip(6).Select(property => property.Value));
        Assert.Equal(
            ["MemoryLimit", "CPUShares", "CPUQuotaPeriodUSec", "CPUQuotaPerSecUSec", "TasksMax", "BlockIOWeight"],
            new UnitLimits(isUnified: false).Of(resources).Select(property => property.Name));
        Assert.Empty(new UnitLimits(isUnified: true).Of(new Resources { Memory = new MemoryLimits(), Cpu = new CpuLimits() }));
    }

    [Fact]
    public void Limits_by_v2_file_are_properties_and_count_before_others()
    {
        var resources = new Resources
        {
            Memory = new MemoryLimits { Limit = 100 },
            Pids = new PidsLimit(7),
            Unified = new Dictionary<string, string>
            {
                ["memory.max"] = "max",
                ["memory.min"] = "4096",
                ["memory.swap.max"] = "0",
                ["pids.max"] = "42",
                ["cpu.max"] = "5000 50000",
                ["cpu.weight"] = "42",
                ["cpuset.cpus"] = "1",
                ["hugetlb.2MB.max"] = "0",
            },
        };
        var properties = new UnitLimits(isUnified: true).Of(resources).ToDictionary(property => property.Name, property => property.Value);
        Assert.Equal(ulong.MaxValue, properties["MemoryMax"]);
        Assert.Equal(4096UL, properties["MemoryMin"]);
        Assert.Equal(0UL, properties["MemorySwapMax"]);
        Assert.Equal(42UL, properties["TasksMax"]);
        Assert.Equal(42UL, properties["CPUWeight"]);
        Assert.Equal((50_000UL, 100_000UL), (properties["CPUQuotaPeriodUSec"], properties["CPUQuotaPerSecUSec"]));
        Assert.Equal(new byte[] { 2 }, properties["AllowedCPUs"]);
        Assert.Equal(8, properties.Count);
    }

    [Theory]
    [InlineData("memory.high", "much")]
    [InlineData("pids.max", "-1")]
    [InlineData("cpu.max", "")]
    [InlineData("cpu.max", "1 2 3")]
    [InlineData("cpu.max", "1000 0")]
    public void A_v2_file_with_what_can_not_be_in_it_is_named(string file, string value)
    {
        var resources = new Resources { Unified = new Dictionary<string, string> { [file] = value } };
        Assert.Contains(file, Assert.Throws<WherryException>(() => new UnitLimits(isUnified: true).Of(resources)).Message);
    }

    [Fact]
    public void Memory_without_a_limit_is_swap_without_one() => Assert.Equal(
        [new UnitProperty("MemoryMax", ulong.MaxValue), new UnitProperty("MemorySwapMax", ulong.MaxValue)],
        new UnitLimits(isUnified: true).Of(new Resources { Memory = new MemoryLimits { Limit = -1 } }));

    [Fact]
    public void Devices_are_told_as_what_is_allowed_and_never_as_less()
    {
        DeviceRule[] rules =
        [
            new(Allow: true, "c", 1, 3, "rwm"), // forgotten by the next
            new(Allow: false, Access: "rwm"),
            new(Allow: true, "c", 1, 5, "rw"),
            new(Allow: true, "c", 136, null, "rwm"),
            new(Allow: true, "b", 8, null, "r"),
            new(Allow: true, "b", 99, null, "m"),
            new(Allow: true, "c", null, null, "m"),
            new(Allow: true, "c", 1, 8, "r"),
            new(Allow: false, "c", 1, 8, "rwm"),
        ];
        var properties = UnitDevices.Of(rules, Drivers);
        Assert.Equal(new UnitProperty("DevicePolicy", "strict"), properties[0]);
        Assert.Equal(
            [new DeviceEntry("/dev/char/1:5", "rw"), new DeviceEntry("char-pts", "rwm"), new DeviceEntry("block-sd", "r"), new DeviceEntry("block-*", "m"), new DeviceEntry("char-*", "m")],
            (IReadOnlyList<DeviceEntry>)properties[1].Value);
        Assert.Empty(UnitDevices.Of([new(Allow: false, Access: "rwm"), new(Allow: true, Access: "rwm"), new(Allow: false, "c", 1, 3, "w")], Drivers));
        Assert.Empty(UnitDevices.Of([new(Allow: true, Access: "rwm"), new(Allow: false, Access: "m")], Drivers));
        Assert.Empty(UnitDevices.Of([], Drivers));
    }
}
