using Wherry.Engine.UserNamespaces;
using Wherry.Errors;
using Wherry.Linux.Accounts;
using Wherry.Linux.Processes;
using SubordinateIds = Wherry.Engine.UserNamespaces.SubordinateIds;

namespace Wherry.Engine.Tests.UserNamespaces;

public sealed class IdAllocatorTests
{
    private static readonly IdSpan[] Area = [new(1000, 100)];

    [Fact]
    public void The_first_gap_that_is_large_enough_is_taken()
    {
        Assert.Equal([new IdRange(0, 1000, 10)], IdAllocator.Allocate(Area, [], 10));
        Assert.Equal([new IdRange(0, 1020, 10)], IdAllocator.Allocate(Area, [new(1015, 5), new(1000, 10)], 10));
        Assert.Equal([new IdRange(0, 1010, 5)], IdAllocator.Allocate(Area, [new(1015, 5), new(1000, 10)], 5));
        Assert.Equal([new IdRange(0, 1090, 10)], IdAllocator.Allocate(Area, [new(900, 190)], 10));
    }

    [Fact]
    public void The_next_area_is_used_when_one_is_full() =>
        Assert.Equal([new IdRange(0, 5000, 10)], IdAllocator.Allocate([new(1000, 9), new(5000, 10)], [], 10));

    [Fact]
    public void More_than_there_is_is_refused_and_says_how_to_get_more()
    {
        var refusal = Assert.Throws<WherryException>(() => IdAllocator.Allocate(Area, [new(1050, 1)], 60));
        Assert.Equal(ErrorKind.Conflict, refusal.Kind);
        Assert.Contains("1000:100", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--userns-ids", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_whole_upper_half_can_be_used_up_to_its_last_id()
    {
        var half = SubordinateIds.Choose([], []).Users;
        var size = half[0].Count;
        Assert.Equal(0xFFFE_FFFFu, IdAllocator.Allocate(half, [], size)[0] is var range ? range.Outside + (range.Count - 1) : 0);
        Assert.Throws<WherryException>(() => IdAllocator.Allocate(half, [new(half[0].First, 1)], size));
    }

    [Fact]
    public void One_id_is_kept_in_the_middle_at_the_beginning_or_beyond_the_end()
    {
        Assert.Equal([new IdRange(0, 1000, 3), new(3, 77, 1), new(4, 1003, 6)], IdAllocator.AllocateAround(Area, [], 10, inside: 3, kept: 77));
        Assert.Equal([new IdRange(0, 77, 1), new(1, 1000, 9)], IdAllocator.AllocateAround(Area, [], 10, inside: 0, kept: 77));
        Assert.Equal([new IdRange(0, 1000, 10), new(50, 77, 1)], IdAllocator.AllocateAround(Area, [], 10, inside: 50, kept: 77));
        Assert.Equal([new IdRange(0, 1002, 3), new(3, 1001, 1), new(4, 1005, 6)], IdAllocator.AllocateAround(Area, [], 10, inside: 3, kept: 1001));
    }

    [Fact]
    public void Entries_of_the_hosts_files_are_used_where_both_have_them()
    {
        var own = Choose("alice:1:2\nwherry:100000:5\nwherry:300000:6\ncontainers:1:1", "wherry:200000:7");
        Assert.Equal([new IdSpan(100_000, 5), new(300_000, 6)], own.Users);
        Assert.Equal([new IdSpan(200_000, 7)], own.Groups);
        Assert.Equal([new IdSpan(9, 9)], Choose("wherry:1:2\ncontainers:9:9", "containers:8:8").Users);
        Assert.Equal(0x8000_0000u, Choose("alice:1:2", "alice:1:2").Users[0].First);
        Assert.Contains("\"wherry:x\"", Assert.Throws<WherryException>(() => Choose("wherry:x", "wherry:1:1")).Message, StringComparison.Ordinal);
    }

    private static SubordinateIds Choose(string users, string groups) => SubordinateIds.Choose(SubordinateIdFile.Parse(users), SubordinateIdFile.Parse(groups));
}
