using Wherry.Linux.Mounts;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Mounts;

namespace Wherry.Runtime.Tests.Parts;

public sealed class MountOptionsTests
{
    [Fact]
    public void Options_are_sorted_by_who_deals_with_them()
    {
        var options = Of("nosuid", "ro", "rw", "noatime", "size=64k", "mode=755", "rslave");
        Assert.Equal(MountAttributes.NoSuid | MountAttributes.NoAtime, options.Set);
        Assert.Equal(MountAttributes.ReadOnly | MountAttributes.AtimeMask, options.Clear);
        Assert.Equal(["size=64k", "mode=755"], options.FileSystem);
        Assert.Equal(MountFlags.Slave, options.Propagation);
        Assert.True(options.PropagationRecursive);
        Assert.False(options.IsBind);
    }

    [Fact]
    public void A_recursive_bind_is_told_from_a_plain_one()
    {
        Assert.True(Of("rbind").IsRecursive);
        Assert.True(Of("bind") is { IsBind: true, IsRecursive: false });
        Assert.Equal(MountAttributes.ReadOnly, Of("rbind", "rro").SetRecursive);
        Assert.Equal(MountAttributes.None, Of("rbind", "rro").Set);
    }

    [Fact]
    public void The_default_access_time_is_relative() => Assert.Equal(MountAttributes.AtimeMask, Of("relatime").Clear);

    private static MountOptions Of(params string[] options) => MountOptions.Of(new Mount { Destination = "/x", Type = "tmpfs", Options = options });
}
