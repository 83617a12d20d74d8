using Wherry.Errors;
using Wherry.Networking.Files;

namespace Wherry.Networking.Tests.Files;

public sealed class HostsFileTests
{
    [Fact]
    public void A_container_finds_itself_and_the_extra_hosts()
    {
        var text = HostsFile.Compose("172.17.0.2", "web", "example", ["db:192.0.2.7", "six=[2001:db8::1]", "host.docker.internal:host-gateway"], "172.17.0.1");
        Assert.StartsWith("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n", text);
        Assert.EndsWith("192.0.2.7\tdb\n2001:db8::1\tsix\n172.17.0.1\thost.docker.internal\n172.17.0.2\tweb.example web\n", text);
    }

    [Fact]
    public void Without_an_address_there_is_no_line_for_the_container() =>
        Assert.EndsWith("ff02::2\tip6-allrouters\n", HostsFile.Compose(address: null, "web"));

    [Theory]
    [InlineData("db")]
    [InlineData(":1.2.3.4")]
    [InlineData("db:")]
    [InlineData("db:not-an-address")]
    [InlineData("two names:1.2.3.4")]
    [InlineData("gw:host-gateway")]
    public void Bad_extra_hosts_are_refused(string extra) =>
        Assert.Equal(ErrorKind.InvalidParameter, Assert.Throws<WherryException>(() => HostsFile.Compose(null, "web", null, [extra])).Kind);
}
