using Wherry.Linux.DBus;

namespace Wherry.Runtime.Tests.Systemd;

public sealed class BusAddressTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("unix:path=/run/user/1000/bus", "/run/user/1000/bus")]
    [InlineData("unix:path=/a%20b,guid=0123", "/a b")]
    [InlineData("unix:guid=0123,path=/a;tcp:host=localhost,port=1;unix:abstract=/x;unix:path=/b", "/a /b")]
    [InlineData("path=/a;unixpath=/b;unix:xpath=/c", "")]
    public void Sockets_are_those_with_a_path_in_their_order(string address, string sockets) =>
        Assert.Equal(sockets, string.Join(' ', BusAddress.Sockets(address)));
}
