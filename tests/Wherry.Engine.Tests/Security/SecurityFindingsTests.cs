using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Security;
using Wherry.Engine.Security;
using Wherry.Engine.Volumes;

namespace Wherry.Engine.Tests.Security;

public sealed class SecurityFindingsTests
{
    private static readonly ContainerSecurity Tight = new()
    {
        Id = "id",
        Name = "name",
        Running = true,
        User = "1000:1000",
        Namespaces = [new("pid", "own"), new("net", "own"), new("ipc", "own"), new("user", "host")],
        Capabilities = [],
        NoNewPrivileges = true,
        Seccomp = "builtin",
        ReadonlyRootfs = true,
        MaskedPaths = 12,
        ReadonlyPaths = 5,
        WritableMounts = [],
        Devices = [],
        Findings = [],
    };

    private static readonly HostConfig Limited = new() { Memory = 1 << 28, PidsLimit = 100 };

    [Fact]
    public void A_tight_container_has_no_findings() => Assert.Empty(SecurityFindings.For(Tight, Limited, new ContainerConfig(), []));

    [Theory]
    [InlineData("/", false, "critical")]
    [InlineData("/etc", false, "critical")]
    [InlineData("/etc", true, "high")]
    [InlineData("/var/run/docker.sock", true, "critical")]
    [InlineData("/srv/data", false, "medium")]
    [InlineData("/srv/data", true, null)]
    public void Mounts_are_graded_by_what_they_give(string source, bool readOnly, string? grade)
    {
        var mount = new ResolvedMount { Type = MountType.Bind, Destination = "/x", Source = source, ReadOnly = readOnly };
        Assert.Equal(grade, SecurityFindings.For(Tight, Limited, new ContainerConfig(), [mount]).SingleOrDefault()?.Grade);
    }

    [Theory]
    [InlineData("CAP_SYS_ADMIN", "critical", "--cap-drop SYS_ADMIN")]
    [InlineData("CAP_SYS_PTRACE", "high", "--cap-drop SYS_PTRACE")]
    [InlineData("CAP_NET_RAW", "low", "--cap-drop NET_RAW")]
    public void Capabilities_are_graded_and_the_fix_names_them(string capability, string grade, string fix)
    {
        var finding = Assert.Single(SecurityFindings.For(Tight with { Capabilities = [capability] }, Limited, new ContainerConfig(), []));
        Assert.Equal((grade, fix), (finding.Grade, finding.Fix));
    }

    [Fact]
    public void In_a_user_namespace_capabilities_and_root_count_for_less()
    {
        var mapped = Tight with { User = "0:0", Namespaces = [new("user", "own")], Capabilities = ["CAP_SYS_ADMIN", "CAP_NET_RAW"] };
        Assert.Equal(["medium", "low"], SecurityFindings.For(mapped, Limited, new ContainerConfig(), []).Select(finding => finding.Grade));
    }

    [Fact]
    public void Namespaces_shared_with_others_are_told_with_their_names()
    {
        var shared = Tight with { Namespaces = [new("pid", "container", ["db"]), new("ipc", "own", ["web"]), new("net", "own", ["web"])] };
        var findings = SecurityFindings.For(shared, Limited, new ContainerConfig(), []);
        Assert.Equal(["the pid namespace is shared with db", "the ipc namespace is shared with web"], findings.Select(finding => finding.Subject));
    }

    [Fact]
    public void The_worst_comes_first()
    {
        var loose = Tight with { NoNewPrivileges = false, Seccomp = "none", User = "0:0", Capabilities = ["CAP_NET_RAW", "CAP_SYS_ADMIN"], ReadonlyRootfs = false };
        var grades = SecurityFindings.For(loose, new HostConfig(), new ContainerConfig(), []).Select(finding => finding.Grade).ToArray();
        string[] order = ["critical", "high", "medium", "low"];
        Assert.Equal(grades.OrderBy(grade => Array.IndexOf(order, grade)), grades);
        Assert.Equal("critical", grades[0]);
    }
}
