using Wherry.Engine.UserNamespaces;
using Wherry.Errors;

namespace Wherry.Engine.Tests.UserNamespaces;

public sealed class UserNamespaceModeTests
{
    [Fact]
    public void Modes_are_read()
    {
        Assert.Equal(UserNamespaceKind.Host, UserNamespaceMode.Parse("host").Kind);
        Assert.Equal(65_536u, UserNamespaceMode.Parse("auto").Size);
        Assert.Equal(2000u, UserNamespaceMode.Parse("auto:size=2000").Size);
        Assert.Equal("db", UserNamespaceMode.Parse("container:db").Peer);
        Assert.Null(UserNamespaceMode.Parse("keep-id").Uid);
        Assert.Equal((7u, 8u), UserNamespaceMode.Parse("keep-id:uid=7,gid=8") is { Uid: { } uid, Gid: { } gid } ? (uid, gid) : default);
    }

    [Fact]
    public void A_range_is_for_users_and_groups_unless_groups_have_their_own()
    {
        var both = UserNamespaceMode.Parse("200000:65536");
        Assert.Equal((new IdSpan(200_000, 65_536), new IdSpan(200_000, 65_536)), (both.Users, both.Groups));
        var each = UserNamespaceMode.Parse("200000:65536,300000:10");
        Assert.Equal((new IdSpan(200_000, 65_536), new IdSpan(300_000, 10)), (each.Users, each.Groups));
        Assert.Equal(4_294_967_294, UserNamespaceMode.Parse("4294967294:1").Users.First);
    }

    [Theory]
    [InlineData("", "invalid user namespace mode")]
    [InlineData("private", "invalid user namespace mode")]
    [InlineData("host:1", "invalid user namespace mode")]
    [InlineData("container:", "invalid user namespace mode")]
    [InlineData("auto:", "KEY=VALUE")]
    [InlineData("auto:size=0", "size=0")]
    [InlineData("auto:size=4294967295", "size=4294967295")]
    [InlineData("auto:size=-1", "size=-1")]
    [InlineData("auto:uidmapping=0:1:2", "uidmapping")]
    [InlineData("keep-id:user=1", "user")]
    [InlineData("keep-id:uid=x", "uid=x")]
    [InlineData("0:65536", "root")]
    [InlineData("200000:0", "empty")]
    [InlineData("4294967000:1000", "last id")]
    [InlineData("4294967295:1", "last id")]
    [InlineData("200000", "FIRST:COUNT")]
    [InlineData("200000:x", "FIRST:COUNT")]
    [InlineData("200000:-5", "FIRST:COUNT")]
    [InlineData("99999999999:1", "FIRST:COUNT")]
    [InlineData("1:2,3:4,5:6", "more than")]
    public void Nonsense_is_refused_by_what_is_wrong_with_it(string mode, string complaint)
    {
        var refusal = Assert.Throws<WherryException>(() => UserNamespaceMode.Parse(mode));
        Assert.Equal(ErrorKind.InvalidParameter, refusal.Kind);
        Assert.Contains(complaint, refusal.Message, StringComparison.Ordinal);
    }
}
