using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Identity;

namespace Wherry.Runtime.Tests.Parts;

public sealed class UserLookupTests
{
    private const string Passwd = "root:x:0:0:root:/root:/bin/sh\n# comment\nbroken line\nalice:x:1000:1001::/home/alice:/bin/sh\n7:x:70:71::/seven:\n";
    private const string Group = "root:x:0:\nstaff:x:50:alice,bob\naudio:x:29:bob\nusers:x:100:alice\n";

    [Theory]
    [InlineData("alice", 1000, 1001, "50,100", "/home/alice")]
    [InlineData("1000", 1000, 1001, "50,100", "/home/alice")]
    [InlineData("alice:audio", 1000, 29, "", "/home/alice")]
    [InlineData("alice:77", 1000, 77, "", "/home/alice")]
    [InlineData("1234", 1234, 0, "", "/")]
    [InlineData("7", 70, 71, "", "/seven")]
    [InlineData(":staff", 0, 50, "", "/root")]
    public void A_user_is_found_as_docker_finds_it(string asked, uint uid, uint gid, string groups, string home)
    {
        var user = UserLookup.Resolve(Passwd, () => Group, asked, new User(), []);
        Assert.Equal((uid, gid, groups, home), (user.Uid, user.Gid, string.Join(',', user.Groups), user.Home));
    }

    [Fact]
    public void Without_a_name_the_numbers_of_the_bundle_count()
    {
        var user = UserLookup.Resolve(Passwd, () => Group, null, new User { Uid = 1000, Gid = 5, AdditionalGids = [6] }, ["audio", "99"]);
        Assert.Equal((1000u, 5u, "6,29,99", "/home/alice"), (user.Uid, user.Gid, string.Join(',', user.Groups), user.Home));
    }

    [Theory]
    [InlineData("nobody-here")]
    [InlineData("alice:nobodies")]
    [InlineData("4294967296")]
    public void What_has_no_entry_is_refused(string asked) =>
        Assert.Throws<SandboxStartException>(() => UserLookup.Resolve(Passwd, () => Group, asked, new User(), []));
}
