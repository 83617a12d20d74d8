using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Security;
using Wherry.Engine.Validation;

namespace Wherry.Engine.Tests.Security;

/// <summary>Which AppArmor profile a container is under; what the default one does is seen in a kernel that has AppArmor.</summary>
public sealed class AppArmorProfileTests
{
    private static readonly HostFacts With = new() { CpuCount = 1, TotalMemory = 1, AppArmor = true, DefaultAppArmorProfile = "wherry-default" };
    private static readonly HostFacts Without = new() { CpuCount = 1, TotalMemory = 1 };

    [Theory]
    [InlineData(null, false, "wherry-default", null)]
    [InlineData(null, true, null, null)]
    [InlineData("apparmor=unconfined", false, null, null)]
    [InlineData("apparmor:mine", false, "mine", "mine")]
    [InlineData("apparmor=mine", true, "mine", "mine")]
    public void The_default_is_for_those_that_are_neither_privileged_nor_ask_for_another(string? option, bool isPrivileged, string? with, string? without)
    {
        var host = new HostConfig { SecurityOpt = option is null ? null : [option], Privileged = isPrivileged };
        Assert.Equal(with, AppArmorProfiles.Of(host, With));
        Assert.Equal(without, AppArmorProfiles.Of(host, Without));
    }

    [Theory]
    [InlineData("unconfined", false)]
    [InlineData("/usr/bin/wherryd", true)]
    [InlineData("a b", false)]
    [InlineData("x,\n  capability", false)]
    public void An_engine_under_a_profile_of_its_own_may_signal_its_containers(string label, bool isNamed) =>
        Assert.Equal(isNamed, AppArmorProfile.Text(label).Contains($"signal (receive) peer={label},", StringComparison.Ordinal) && label != "unconfined");
}
