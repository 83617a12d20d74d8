using Wherry.Networking.Files;

namespace Wherry.Networking.Tests.Files;

public sealed class ResolvConfTests
{
    [Fact]
    public void Servers_a_container_cannot_reach_are_left_out()
    {
        var text = ResolvConf.ForContainer("""
            # made by hand
            nameserver 127.0.0.53
            nameserver 192.0.2.1
            nameserver ::1
            nameserver fe80::1%eth0
            nameserver   192.0.2.2	 # second
            search a.example
            search b.example c.example
            options ndots:2
            options edns0
            """);
        Assert.Equal("nameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch b.example c.example\noptions ndots:2 edns0\n", text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nameserver 127.0.0.1\n")]
    public void Without_any_server_Dockers_fallback_is_used(string host) =>
        Assert.Equal("nameserver 8.8.8.8\nnameserver 8.8.4.4\n", ResolvConf.ForContainer(host));

    [Fact]
    public void What_the_user_asked_for_replaces_the_hosts_settings()
    {
        const string host = "nameserver 192.0.2.1\ndomain a.example\noptions rotate\n";
        Assert.Equal(
            "nameserver 127.0.0.1\nsearch x.example\noptions timeout:1\n",
            ResolvConf.ForContainer(host, ["127.0.0.1"], ["x.example"], ["timeout:1"]));
        Assert.Equal("nameserver 192.0.2.1\noptions rotate\n", ResolvConf.ForContainer(host, search: ["."]));
        Assert.Equal("nameserver 192.0.2.1\nsearch a.example\noptions rotate\n", ResolvConf.ForContainer(host));
    }
}
