using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Containers;

[Collection(ContainerCollection.Name)]
public sealed class UserTests
{
    [Theory]
    [InlineData("alice", "uid=1000(alice) gid=1001(alice) groups=50(staff)")]
    [InlineData("alice:audio", "uid=1000(alice) gid=29(audio)")]
    [InlineData("1000", "uid=1000(alice) gid=1001(alice) groups=50(staff)")]
    [InlineData("4321:8765", "uid=4321 gid=8765")]
    public async Task A_user_is_looked_up_in_the_containers_own_files(string user, string expected) =>
        Assert.Equal(expected, (await OutputOfAsync("id", request => WithOptions(request, options => options with { User = user }))).Trim());

    [Fact]
    public async Task An_unknown_user_is_named()
    {
        await using var container = await CreateAsync(["true"], request => WithOptions(request, options => options with { User = "nobody-here" }));
        var failure = await Assert.ThrowsAsync<SandboxStartException>(() => container.Sandbox.StartAsync(Cancel));
        Assert.Equal("unable to find user nobody-here: no matching entries in passwd file", failure.Message);
    }

    [Fact]
    public async Task The_user_can_open_its_own_output_again() =>
        Assert.Equal("again\n", await OutputOfAsync("echo again > /dev/stdout", request => WithOptions(request, options => options with { User = "alice" })));
}
