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
