using Wherry.Linux.Accounts;

namespace Wherry.Runtime.Tests.Parts;

public sealed class SubordinateIdsTests
{
    private const string File = """
        # a remark
        alice:100000:65536
        bob:200000:65536
        1000:300000:10
        alice:not-a-number:5
        alice:400000:0
        alice:500000
        """;

    [Fact]
    public void A_users_ranges_are_those_of_his_name_and_of_his_number() =>
        Assert.Equal([(100000u, 65536u), (300000u, 10u)], SubordinateIds.Of(SubordinateIdFile.Parse(File), "alice", 1000));

    [Fact]
    public void Who_is_not_named_has_none()
    {
        Assert.Empty(SubordinateIds.Of(SubordinateIdFile.Parse(File), "carol", 1003));
        Assert.Empty(SubordinateIds.Of(SubordinateIdFile.Parse(File), null, 1003));
        Assert.Empty(SubordinateIds.Of([], "alice", 1000));
    }

    [Fact]
    public void Mappings_begin_with_root_who_is_the_user_himself()
    {
        var (users, groups) = SubordinateIds.MappingsOf(uint.MaxValue - 7, 12);
        Assert.Equal((0u, uint.MaxValue - 7, 1u), (users[0].Inside, users[0].Outside, users[0].Count));
        Assert.Equal((0u, 12u, 1u), (groups[0].Inside, groups[0].Outside, groups[0].Count));
    }
}
