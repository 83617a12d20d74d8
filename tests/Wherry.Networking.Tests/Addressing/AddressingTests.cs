using Wherry.Errors;
using Wherry.Networking.Addressing;

namespace Wherry.Networking.Tests.Addressing;

public sealed class AddressingTests
{
    [Theory]
    [InlineData("0.0.0.0", 0u)]
    [InlineData("172.17.0.1", 0xAC110001u)]
    [InlineData("255.255.255.255", 0xFFFFFFFFu)]
    public void A_dotted_quad_is_read_and_written(string text, uint value)
    {
        Assert.True(Ipv4Address.TryParse(text, out var address));
        Assert.Equal(value, address.Value);
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.256")]
    [InlineData("1.2.3.04")]
    [InlineData("1.2.3.-4")]
    [InlineData("1.2.3. 4")]
    [InlineData("::1")]
    public void Anything_else_is_no_address(string text) => Assert.False(Ipv4Address.TryParse(text, out _));

    [Fact]
    public void The_hardware_address_is_Dockers() =>
        Assert.Equal("02:42:ac:11:00:02", Ipv4Address.Parse("172.17.0.2").ToMacAddress().ToString());

    [Theory]
    [InlineData("02:42:ac:11:00:02", true)]
    [InlineData("02-42-ac-11-00-02", false)]
    [InlineData("01:00:5e:00:00:01", false)]
    [InlineData("00:00:00:00:00:00", false)]
    [InlineData("02:42:ac:11:00", false)]
    public void Only_unicast_hardware_addresses_are_taken(string text, bool valid) => Assert.Equal(valid, MacAddress.TryParse(text, out _));

    [Fact]
    public void The_first_subnet_clear_of_the_hosts_routes_is_chosen()
    {
        Assert.Equal("172.17.0.0/16", SubnetChoice.FirstFree([Subnet("0.0.0.0/0"), Subnet("10.0.0.0/8")]).ToString());
        Assert.Equal("172.20.0.0/16", SubnetChoice.FirstFree([Subnet("172.17.5.0/24"), Subnet("172.18.0.0/15")]).ToString());
        Assert.Equal("192.168.16.0/20", SubnetChoice.FirstFree([Subnet("172.16.0.0/12"), Subnet("192.168.1.0/24")]).ToString());
        var error = Assert.Throws<WherryException>(() => SubnetChoice.FirstFree([Subnet("172.16.0.0/12"), Subnet("192.168.0.0/16")]));
        Assert.Contains("--bip", error.Message);
    }

    [Theory]
    [InlineData("172.17.0.0/16")]
    [InlineData("172.17.255.255/16")]
    [InlineData("172.17.0.1")]
    [InlineData("172.17.0.1/31")]
    [InlineData("172.17.0.1/4")]
    [InlineData("fd00::1/64")]
    public void A_bip_no_bridge_can_have_is_refused(string bip) =>
        Assert.Equal(ErrorKind.InvalidParameter, Assert.Throws<WherryException>(() => SubnetChoice.ParseBip(bip)).Kind);

    [Fact]
    public void A_freed_address_comes_round_last()
    {
        var pool = new AddressPool(Subnet("10.0.0.0/29"), Ipv4Address.Parse("10.0.0.1"));
        Assert.Equal(["10.0.0.2", "10.0.0.3"], Allocate(pool, "a", "b"));
        pool.Release(Ipv4Address.Parse("10.0.0.2"), "a");
        Assert.Equal(["10.0.0.4", "10.0.0.5", "10.0.0.6", "none"], Allocate(pool, "c", "d", "e", "f"));
        pool.Drained(Ipv4Address.Parse("10.0.0.2"));
        Assert.Equal(["10.0.0.2"], Allocate(pool, "f"));
    }

    [Fact]
    public void A_container_that_returns_gets_its_former_address()
    {
        var pool = new AddressPool(Subnet("10.0.0.0/24"), Ipv4Address.Parse("10.0.0.1"));
        Allocate(pool, "a", "b");
        pool.Release(Ipv4Address.Parse("10.0.0.2"), "a");
        Assert.Equal("10.0.0.2", pool.DrainingAddressOf("a").ToString());
        pool.Drained(Ipv4Address.Parse("10.0.0.2"));
        Assert.Null(pool.DrainingAddressOf("a"));
        Assert.Equal(["10.0.0.4", "10.0.0.2"], Allocate(pool, "c", "a"));
    }

    [Fact]
    public void An_address_is_taken_by_one_owner_and_only_inside_the_subnet()
    {
        var pool = new AddressPool(Subnet("10.0.0.0/24"), Ipv4Address.Parse("10.0.0.1"));
        pool.Take(Ipv4Address.Parse("10.0.0.9"), "a");
        pool.Take(Ipv4Address.Parse("10.0.0.9"), "a");
        Assert.Equal(ErrorKind.Conflict, Assert.Throws<WherryException>(() => pool.Take(Ipv4Address.Parse("10.0.0.9"), "b")).Kind);
        foreach (var refused in new[] { "10.0.1.1", "10.0.0.0", "10.0.0.1", "10.0.0.255" })
        {
            Assert.Equal(ErrorKind.InvalidParameter, Assert.Throws<WherryException>(() => pool.Take(Ipv4Address.Parse(refused), "b")).Kind);
        }

        pool.Release(Ipv4Address.Parse("10.0.0.9"), "stranger");
        Assert.Throws<WherryException>(() => pool.Take(Ipv4Address.Parse("10.0.0.9"), "b"));
    }

    private static string[] Allocate(AddressPool pool, params string[] owners) => [.. owners.Select(owner => pool.TryAllocate(owner)?.ToString() ?? "none")];

    private static Ipv4Subnet Subnet(string text)
    {
        Assert.True(Ipv4Subnet.TryParseInterface(text, out _, out var subnet));
        return subnet;
    }
}
