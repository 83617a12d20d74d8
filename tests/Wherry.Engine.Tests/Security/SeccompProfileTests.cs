using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Security;
using Wherry.Engine.Specs;
using Wherry.Engine.Validation;
using Wherry.Errors;

namespace Wherry.Engine.Tests.Security;

public sealed class SeccompProfileTests : IDisposable
{
    private static readonly string TestDirectory = Path.Combine(Path.GetTempPath(), $"wherry-engine-tests-{Environment.ProcessId}");

    private static readonly HostFacts Host = SampleHosts.Ordinary with
    {
        Seccomp = true,
        KernelVersion = "6.1.0-42-amd64",
        SeccompActions = new HashSet<string> { "kill_process", "kill_thread", "trap", "errno", "user_notif", "trace", "log", "allow" },
    };

    [Fact]
    public void The_default_profile_denies_what_reaches_beyond_the_container()
    {
        var allowed = Allowed(Resolve(new HostConfig())!);
        string[] denied =
        [
            "mount", "umount2", "pivot_root", "unshare", "setns", "bpf", "perf_event_open", "keyctl", "add_key", "request_key", "userfaultfd",
            "io_uring_setup", "io_uring_enter", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "open_by_handle_at",
            "reboot", "swapon", "swapoff", "settimeofday", "clock_settime", "acct", "quotactl", "iopl", "ioperm", "syslog", "clone3", "open_tree",
            "move_mount", "fsopen", "fsconfig", "fsmount", "mount_setattr", "lookup_dcookie", "nfsservctl", "vhangup", "kcmp", "pidfd_getfd",
            "set_mempolicy", "mbind", "move_pages", "migrate_pages", "uselib", "ustat", "sysfs", "_sysctl", "create_module", "query_module",
        ];
        Assert.All(denied, name => Assert.DoesNotContain(name, allowed));
        string[] needed = ["read", "write", "openat", "execve", "clone", "socket", "futex", "chroot", "ptrace", "personality", "landlock_restrict_self", "seccomp"];
        Assert.All(needed, name => Assert.Contains(name, allowed));
    }

    [Theory]
    [InlineData("SYS_ADMIN", "mount", "unshare", "clone3", "setns", "bpf", "fsopen")]
    [InlineData("SYS_PTRACE", "kcmp", "pidfd_getfd", "process_madvise")]
    [InlineData("SYS_MODULE", "init_module")]
    [InlineData("SYS_TIME", "clock_settime")]
    [InlineData("SYS_NICE", "mbind")]
    [InlineData("SYS_BOOT", "reboot")]
    [InlineData("BPF", "bpf")]
    [InlineData("PERFMON", "perf_event_open")]
    [InlineData("DAC_READ_SEARCH", "open_by_handle_at")]
    public void A_capability_opens_the_calls_that_need_it(string capability, params string[] names)
    {
        var allowed = Allowed(Resolve(new HostConfig { CapAdd = [capability] })!);
        Assert.All(names, name => Assert.Contains(name, allowed));
    }

    [Fact]
    public void A_dropped_capability_closes_them_again() =>
        Assert.DoesNotContain("chroot", Allowed(Resolve(new HostConfig { CapDrop = ["SYS_CHROOT"] })!));

    [Fact]
    public void Unconfined_and_privileged_have_no_filter_but_a_profile_by_name_holds_for_both()
    {
        Assert.Null(Resolve(new HostConfig { SecurityOpt = ["seccomp=unconfined"] }));
        Assert.Null(Resolve(new HostConfig { SecurityOpt = ["seccomp:unconfined"] }));
        Assert.Null(Resolve(new HostConfig { Privileged = true }));
        Assert.NotNull(Resolve(new HostConfig { Privileged = true, SecurityOpt = ["seccomp=builtin"] }));
        Assert.NotNull(Resolve(new HostConfig { SecurityOpt = ["seccomp=builtin"] }));
    }

    [Fact]
    public void Dockers_conditions_are_resolved_for_the_container_and_the_host()
    {
        const string profile =
            """
            {"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,
             "archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]},{"architecture":"SCMP_ARCH_AARCH64","subArchitectures":["SCMP_ARCH_ARM"]}],
             "syscalls":[
              {"names":["read"],"action":"SCMP_ACT_ALLOW","args":null,"comment":"any","includes":{},"excludes":{}},
              {"name":"write","action":"SCMP_ACT_ALLOW"},
              {"names":["newer"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"6.2"}},
              {"names":["older"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8"}},
              {"names":["admin"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
              {"names":["common"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_SYS_ADMIN"]}},
              {"names":["mainframe"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["s390x"]}},
              {"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]}]}
            """;
        var resolved = Resolve(new HostConfig { SecurityOpt = ["seccomp=" + profile] })!;
        Assert.Equal(["clone", "common", "older", "read", "write"], Allowed(resolved).Order());
        Assert.Equal(38u, resolved.Config.DefaultErrnoRet);
        Assert.Contains("admin", Allowed(Resolve(new HostConfig { CapAdd = ["SYS_ADMIN"], SecurityOpt = ["seccomp=" + profile] })!));
    }

    [Fact]
    public void The_same_rules_have_the_same_cache_and_others_another()
    {
        var profiles = new SeccompProfiles(TestDirectory);
        string FileFor(HostConfig host) => profiles.For(host, DefaultCapabilities.For(host, Host), Host)!.CacheFile;
        Assert.Equal(FileFor(new HostConfig()), FileFor(new HostConfig { SecurityOpt = ["seccomp=builtin"] }));
        Assert.Equal(FileFor(new HostConfig()), FileFor(new HostConfig { CapDrop = ["CHOWN"] }));
        Assert.NotEqual(FileFor(new HostConfig()), FileFor(new HostConfig { CapAdd = ["SYS_ADMIN"] }));
    }

    [Theory]
    [InlineData("{", "Decoding seccomp profile failed")]
    [InlineData("[]", "Decoding seccomp profile failed")]
    [InlineData("null", "null")]
    [InlineData("{}", "defaultAction")]
    [InlineData("""{"defaultAction":"SCMP_ACT_DANCE"}""", "SCMP_ACT_DANCE")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}""", "archMap")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_ALLOW"}]}""", "'name' and 'names'")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_ALLOW","args":[{"index":9,"op":"SCMP_CMP_EQ"}]}]}""", "index 9")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"op":"SCMP_CMP_IS"}]}]}""", "SCMP_CMP_IS")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"new"}}]}""", "minKernel")]
    public void A_profile_that_is_none_is_refused_before_anything_is_made(string profile, string said)
    {
        var failure = Assert.Throws<WherryException>(() => SeccompProfiles.Check(profile, Host));
        Assert.Equal(ErrorKind.InvalidParameter, failure.Kind);
        Assert.Contains(said, failure.Message);
    }

    [Fact]
    public void What_the_kernel_lacks_is_named()
    {
        var old = Host with { SeccompActions = new HashSet<string> { "kill_thread", "errno", "allow" } };
        var failure = Assert.Throws<WherryException>(() => SeccompProfiles.Check("""{"defaultAction":"SCMP_ACT_LOG"}""", old));
        Assert.Contains("SCMP_ACT_LOG", failure.Message);
        Assert.Throws<WherryException>(() => SeccompProfiles.Check("""{"defaultAction":"SCMP_ACT_ALLOW"}""", Host with { Seccomp = false }));
    }

    public void Dispose()
    {
        if (Directory.Exists(TestDirectory))
        {
            Directory.Delete(TestDirectory, recursive: true);
        }
    }

    private static ResolvedSeccomp? Resolve(HostConfig host) =>
        new SeccompProfiles(TestDirectory).For(host, DefaultCapabilities.For(host, Host), Host);

    private static HashSet<string> Allowed(ResolvedSeccomp resolved) =>
        resolved.Config.Syscalls!.Where(rule => rule.Action == "SCMP_ACT_ALLOW").SelectMany(rule => rule.Names).ToHashSet();
}
