using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Json;
using Wherry.Api.Contracts.Networks;
using Wherry.Engine.Validation;
using Wherry.Errors;

namespace Wherry.Engine.Tests.Validation;

public sealed class CreateRequestValidatorTests
{
    private static readonly ContainerCreateRequest Plain = new() { Image = "busybox", Cmd = ["true"] };

    private static IReadOnlyList<string> Validate(ContainerCreateRequest asked, HostFacts? facts = null) =>
        CreateRequestValidator.Validate(asked, asked, facts ?? SampleHosts.Ordinary);

    private static IReadOnlyList<string> Validate(HostConfig host, HostFacts? facts = null) => Validate(Plain with { HostConfig = host }, facts);

    private static WherryException Refused(HostConfig host, HostFacts? facts = null) => Assert.Throws<WherryException>(() => Validate(host, facts));

    private static WherryException Refused(ContainerCreateRequest asked) => Assert.Throws<WherryException>(() => Validate(asked));

    [Fact]
    public void A_plain_container_is_accepted_without_a_word() => Assert.Empty(Validate(new HostConfig()));

    [Fact]
    public void What_docker_s_command_line_sends_by_default_is_accepted() => Assert.Empty(Validate(Plain with
    {
        HostConfig = new HostConfig
        {
            NetworkMode = "default",
            RestartPolicy = new RestartPolicy { Name = "no" },
            MemorySwappiness = -1,
            OomKillDisable = false,
            PidsLimit = 0,
            ConsoleSize = [0, 0],
            Binds = null,
            MaskedPaths = null,
            BlkioWeightDevice = [],
            DeviceRequests = null,
            Isolation = "",
        },
        NetworkingConfig = new NetworkingConfig { EndpointsConfig = new() { ["default"] = new EndpointSettings() } },
    }));

    public static TheoryData<HostConfig, string> ImpossibleLimits => new()
    {
        { new HostConfig { Memory = 1024 }, "Minimum memory limit allowed is 6MB" },
        { new HostConfig { Memory = -1 }, "Minimum memory limit allowed is 6MB" },
        { new HostConfig { Memory = 64 << 20, MemorySwap = 32 << 20 }, "Minimum memoryswap limit should be larger than memory limit, see usage" },
        { new HostConfig { MemorySwap = 64 << 20 }, "You should always set the Memory limit when using Memoryswap limit, see usage" },
        { new HostConfig { MemorySwappiness = 101 }, "Invalid value: 101, valid memory swappiness range is 0-100" },
        { new HostConfig { NanoCpus = 1000L * 1_000_000_000 }, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available" },
        { new HostConfig { NanoCpus = -1 }, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available" },
        { new HostConfig { NanoCpus = 1, CpuPeriod = 1 }, "Conflicting options: Nano CPUs and CPU Period cannot both be set" },
        { new HostConfig { CpuPeriod = 10 }, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)" },
        { new HostConfig { CpuQuota = 10 }, "CPU cfs quota can not be less than 1ms (i.e. 1000)" },
        { new HostConfig { CpuShares = -1 }, "invalid CPU shares (-1): value must be a positive integer" },
        { new HostConfig { CpusetCpus = "0-x" }, "Invalid value 0-x for cpuset cpus" },
        { new HostConfig { CpusetCpus = "0-7" }, "Requested CPUs are not available - requested 0-7, available: 0-1" },
        { new HostConfig { CpusetMems = "1" }, "Requested memory nodes are not available - requested 1, available: 0" },
        { new HostConfig { BlkioWeight = 5 }, "Range of blkio weight is from 10 to 1000" },
        { new HostConfig { BlkioWeightDevice = [new WeightDevice { Path = "/dev/sda", Weight = 5 }] }, "Range of blkio weight is from 10 to 1000, not 5 for /dev/sda" },
        { new HostConfig { BlkioDeviceReadBps = [new ThrottleDevice { Path = "sda", Rate = 5 }] }, "bad format for device path: sda" },
        { new HostConfig { BlkioDeviceWriteIOps = [new ThrottleDevice { Path = "/dev/sda", Rate = -5 }] }, "invalid rate for device /dev/sda: -5 is less than 0" },
        { new HostConfig { CpuRealtimePeriod = 1000, CpuRealtimeRuntime = 2000 }, "cpu real-time runtime cannot be higher than cpu real-time period" },
        { new HostConfig { OomScoreAdj = -1001 }, "Invalid value -1001, range for oom score adj is [-1000, 1000]" },
        { new HostConfig { ShmSize = -1 }, "SHM size can not be less than 0" },
        { new HostConfig { Ulimits = [new Ulimit { Name = "beer", Soft = 1, Hard = 1 }] }, "invalid ulimit type: beer" },
        { new HostConfig { Ulimits = [new Ulimit { Name = "nofile", Soft = 2, Hard = 1 }] }, "ulimit soft limit must be less than or equal to hard limit: 2 > 1" },
    };

    [Theory]
    [MemberData(nameof(ImpossibleLimits))]
    public void Impossible_limits_are_refused_in_docker_s_words(HostConfig host, string message)
    {
        var failure = Refused(host);
        Assert.Equal((ErrorKind.InvalidParameter, message), (failure.Kind, failure.Message));
    }

    public static TheoryData<HostConfig, string> UnofferedOptions => new()
    {
        { new HostConfig { RestartPolicy = new RestartPolicy { Name = "always" } }, "always" },
        { new HostConfig { LogConfig = new LogConfig { Type = "syslog" } }, "syslog" },
        { new HostConfig { LogConfig = new LogConfig { Config = new() { ["tag"] = "x" } } }, "tag" },
        { new HostConfig { Links = ["db"] }, "--link" },
        { new HostConfig { DeviceRequests = [new DeviceRequest { Count = -1 }] }, "--gpus" },
        { new HostConfig { SecurityOpt = ["seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}"] }, "seccomp" },
        { new HostConfig { SecurityOpt = ["apparmor=mine"] }, "apparmor" },
        { new HostConfig { PortBindings = new() { ["80/tcp"] = [new PortBinding { HostPort = "8000-8010" }] } }, "8000-8010" },
    };

    [Theory]
    [MemberData(nameof(UnofferedOptions))]
    public void What_is_not_offered_is_refused_by_its_name(HostConfig host, string name)
    {
        var failure = Refused(host);
        Assert.Equal(ErrorKind.Unsupported, failure.Kind);
        Assert.Contains(name, failure.Message);
    }

    [Theory]
    [InlineData("seccomp=unconfined")]
    [InlineData("seccomp:unconfined")]
    [InlineData("apparmor=unconfined")]
    [InlineData("label=disable")]
    [InlineData("no-new-privileges")]
    [InlineData("no-new-privileges=true")]
    [InlineData("no-new-privileges:false")]
    public void Security_options_that_hold_anyway_are_accepted(string option) => Assert.Empty(Validate(new HostConfig { SecurityOpt = [option] }));

    [Fact]
    public void A_network_that_does_not_exist_is_not_found()
    {
        var failure = Refused(new HostConfig { NetworkMode = "backend" });
        Assert.Equal((ErrorKind.InvalidParameter, "network backend not found"), (failure.Kind, failure.Message));
    }

    [Fact]
    public void A_shared_network_is_as_its_owner_has_it()
    {
        var shared = new HostConfig { NetworkMode = "container:db" };
        Assert.Empty(Validate(shared));
        Assert.Equal("conflicting options: hostname and the network mode", Refused(Plain with { Hostname = "me", HostConfig = shared }).Message);
        Assert.Equal(
            "conflicting options: port publishing and the container type network mode",
            Refused(shared with { PortBindings = new() { ["80/tcp"] = [] } }).Message);
    }

    [Fact]
    public void Ports_of_the_image_do_not_conflict_with_a_shared_network()
    {
        var asked = Plain with { HostConfig = new HostConfig { NetworkMode = "container:db" } };
        Assert.Empty(CreateRequestValidator.Validate(asked, asked with { ExposedPorts = new() { ["80/tcp"] = new EmptyObject() } }, SampleHosts.Ordinary));
    }

    [Fact]
    public void A_health_check_is_refused_when_asked_for_and_kept_when_the_image_has_it()
    {
        var check = new HealthConfig { Test = ["CMD", "true"] };
        Assert.Contains("--health-cmd", Refused(Plain with { Healthcheck = check }).Message);
        Assert.Empty(Validate(Plain with { Healthcheck = new HealthConfig { Test = ["NONE"] } }));
        Assert.Empty(CreateRequestValidator.Validate(Plain, Plain with { Healthcheck = check }, SampleHosts.Ordinary));
    }

    [Theory]
    [InlineData("0/tcp")]
    [InlineData("65536/tcp")]
    [InlineData("80/icmp")]
    [InlineData("http")]
    public void Ports_that_can_t_be_are_refused(string port) =>
        Assert.Equal(ErrorKind.InvalidParameter, Refused(new HostConfig { PortBindings = new() { [port] = [] } }).Kind);

    [Theory]
    [InlineData("-bad")]
    [InlineData("two words")]
    [InlineData("semi;colon")]
    [InlineData("a123456789012345678901234567890123456789012345678901234567890123")]
    public void Host_names_that_can_t_be_are_refused(string name) =>
        Assert.Equal($"invalid hostname format: {name}", Refused(Plain with { Hostname = name }).Message);

    [Fact]
    public void Names_that_would_break_hosts_and_resolv_conf_are_refused()
    {
        Assert.Equal("bad format for add-host: \"nohost\"", Refused(new HostConfig { ExtraHosts = ["nohost"] }).Message);
        Assert.Equal("invalid IP address in add-host: \"1.2.3\\n4\"".Replace("\\n", "\n"), Refused(new HostConfig { ExtraHosts = ["a:1.2.3\n4"] }).Message);
        Assert.Equal("one is not an ip address", Refused(new HostConfig { Dns = ["one"] }).Message);
        Assert.Contains("invalid DNS", Refused(new HostConfig { DnsSearch = ["a\nnameserver 6.6.6.6"] }).Message);
        Assert.Empty(Validate(new HostConfig { ExtraHosts = ["a:10.0.0.1", "b:host-gateway", "c:[::1]"] }));
    }

    [Fact]
    public void Kernel_parameters_of_the_host_are_out_of_reach()
    {
        Assert.Empty(Validate(new HostConfig { Sysctls = new() { ["net.core.somaxconn"] = "1024", ["kernel.shmmax"] = "1" } }));
        Assert.Contains("not in a separate kernel namespace", Refused(new HostConfig { Sysctls = new() { ["kernel.panic"] = "1" } }).Message);
        Assert.Contains("invalid sysctl name", Refused(new HostConfig { Sysctls = new() { ["net/../kernel/panic"] = "1" } }).Message);
        Assert.Contains("host network", Refused(new HostConfig { NetworkMode = "host", Sysctls = new() { ["net.core.somaxconn"] = "1" } }).Message);
    }

    [Fact]
    public void Capabilities_the_host_withholds_are_an_error_by_name_and_a_warning_in_bulk()
    {
        Assert.Equal(
            "invalid CapAdd: capability not supported by your kernel or not available in the current environment: \"CAP_SYS_RESOURCE\"",
            Refused(new HostConfig { CapAdd = ["sys_resource"] }, SampleHosts.Hardened).Message);
        Assert.Contains("CAP_SYS_RESOURCE", Assert.Single(Validate(new HostConfig { Privileged = true }, SampleHosts.Hardened)));
        Assert.Contains("CAP_SYS_RESOURCE", Assert.Single(Validate(new HostConfig { CapAdd = ["ALL"] }, SampleHosts.Hardened)));
        Assert.Equal("invalid CapDrop: unknown capability: \"CAP_SLEEP\"", Refused(new HostConfig { CapDrop = ["sleep"] }).Message);
    }

    [Fact]
    public void What_is_clipped_is_said()
    {
        var host = new HostConfig { OomScoreAdj = -100, Ulimits = [new Ulimit { Name = "nofile", Soft = 1, Hard = 1_000_000 }] };
        Assert.Equal(2, Validate(host, SampleHosts.Hardened).Count);
        Assert.Empty(Validate(host));
        Assert.Single(Validate(new HostConfig { Memory = 64 << 20 }, SampleHosts.Ordinary with { SwapLimit = false }));
    }

    [Fact]
    public void Published_ports_are_discarded_aloud_on_the_host_s_network() => Assert.Equal(
        ["Published ports are discarded when using host network mode"],
        Validate(new HostConfig { NetworkMode = "host", PortBindings = new() { ["80/tcp"] = [] } }));

    [Fact]
    public void A_container_needs_something_to_run()
    {
        Assert.Equal("no command specified", Refused(new ContainerCreateRequest { Image = "scratch" }).Message);
        Assert.Equal("the working directory 'srv' is invalid, it needs to be an absolute path", Refused(Plain with { WorkingDir = "srv" }).Message);
        Assert.Equal("invalid environment variable: =x", Refused(Plain with { Env = ["=x"] }).Message);
        Assert.Equal("invalid signal: NOPE", Refused(Plain with { StopSignal = "NOPE" }).Message);
        Assert.Empty(Validate(Plain with { Env = ["A", "B=", "C=a=b"] }));
    }

    [Theory]
    [InlineData("ok-name_1.2", true)]
    [InlineData("/with-slash", true)]
    [InlineData("a", false)]
    [InlineData("", false)]
    [InlineData("-dash", false)]
    [InlineData("spa ce", false)]
    [InlineData("a/b", false)]
    [InlineData("ümlaut", false)]
    public void Names_follow_docker_s_pattern(string name, bool isAllowed)
    {
        if (isAllowed)
        {
            Assert.Equal(name.TrimStart('/'), ContainerNames.Validate(name));
            return;
        }

        Assert.Equal(
            $"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
            Assert.Throws<WherryException>(() => CreateRequestValidator.ValidateName(name)).Message);
    }

    [Fact]
    public void Generated_names_and_ids_are_valid_and_rarely_the_same()
    {
        var names = Enumerable.Range(0, 1000).Select(i => ContainerNames.Generate(i % 4)).ToList();
        Assert.All(names, name => ContainerNames.Validate(name));
        Assert.True(names.Distinct().Count() > 800);
        Assert.All(Enumerable.Range(0, 100).Select(_ => ContainerIdentifiers.Create()), id => Assert.Matches("^[0-9a-f]{64}$", id));
    }
}
