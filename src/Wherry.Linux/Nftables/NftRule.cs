using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Wherry.Linux.Netlink;

namespace Wherry.Linux.Nftables;

/// <summary>
/// Writes one rule's expressions. They are evaluated in order; the first comparison that fails ends the rule for the packet.
/// </summary>
public readonly struct NftRule
{
    private const ushort NFTA_EXPR_NAME = 1;
    private const ushort NFTA_EXPR_DATA = 2;
    private const int InterfaceNameSize = 16;
    private const uint VerdictRegister = 0;
    private const uint Equal = 0;
    private const uint NotEqual = 1;
    private const uint NetworkHeader = 1;
    private const uint TransportHeader = 2;
    private const uint FibAddressType = 3;
    private const uint FibDestination = 2;
    private const uint RouteTypeLocal = 2;
    private const uint Ipv4Family = 2;
    private const uint NatDestination = 1;
    private const uint StateEstablishedOrRelated = 2 | 4;
    private const uint StatusDestinationNat = 1 << 5;

    private readonly NetlinkBatch _batch;

    internal NftRule(NetlinkBatch batch) => _batch = batch;

    public NftRule FromInterface(string name) => Load(NftMeta.InputInterfaceName, NftRegister.R0).Compare(NftRegister.R0, Equal, InterfaceName(name));

    public NftRule ToInterface(string name) => Load(NftMeta.OutputInterfaceName, NftRegister.R0).Compare(NftRegister.R0, Equal, InterfaceName(name));

    public NftRule NotToInterface(string name) => Load(NftMeta.OutputInterfaceName, NftRegister.R0).Compare(NftRegister.R0, NotEqual, InterfaceName(name));

    /// <summary>The source lies in a subnet, given as host-order numbers.</summary>
    public NftRule FromSubnet(uint network, uint mask) => InSubnet(offset: 12, network, mask);

    /// <summary>The destination lies in a subnet, given as host-order numbers.</summary>
    public NftRule ToSubnet(uint network, uint mask) => InSubnet(offset: 16, network, mask);

    /// <summary>The destination is one of this host's own addresses (<c>fib daddr type local</c>).</summary>
    public NftRule ToThisHost()
    {
        var data = Begin("fib");
        _batch.PutUInt32BigEndian(1, (uint)NftRegister.R0).PutUInt32BigEndian(2, FibAddressType).PutUInt32BigEndian(3, FibDestination);
        return End(data).Compare(NftRegister.R0, Equal, HostOrder(RouteTypeLocal));
    }

    public NftRule OfKnownConnection() => Load(NftConntrack.State, NftRegister.R0).AnyBit(StateEstablishedOrRelated);

    /// <summary>The connection's destination was rewritten by a rule: it came in through a published port.</summary>
    public NftRule OfRedirectedConnection() => Load(NftConntrack.Status, NftRegister.R0).AnyBit(StatusDestinationNat);

    public NftRule Load(NftMeta what, NftRegister to)
    {
        var data = Begin("meta");
        _batch.PutUInt32BigEndian(1, (uint)to).PutUInt32BigEndian(2, (uint)what);
        return End(data);
    }

    public NftRule Load(NftConntrack what, NftRegister to)
    {
        var data = Begin("ct");
        _batch.PutUInt32BigEndian(1, (uint)to).PutUInt32BigEndian(2, (uint)what);
        return End(data);
    }

    public NftRule LoadDestinationAddress(NftRegister to) => Payload(NetworkHeader, offset: 16, length: 4, to);

    /// <summary>The destination port; the same place in TCP, UDP and SCTP.</summary>
    public NftRule LoadDestinationPort(NftRegister to) => Payload(TransportHeader, offset: 2, length: 2, to);

    /// <summary>Looks the key up and puts the value found into registers; the rule ends where there is none.</summary>
    public NftRule Lookup(string map, NftRegister key, NftRegister value)
    {
        var data = Begin("lookup");
        _batch.PutString(1, map).PutUInt32BigEndian(2, (uint)key).PutUInt32BigEndian(3, (uint)value);
        return End(data);
    }

    /// <summary>Rewrites the connection's destination; ends the packet's way through the chain.</summary>
    public NftRule RedirectTo(NftRegister address, NftRegister port)
    {
        var data = Begin("nat");
        _batch.PutUInt32BigEndian(1, NatDestination)
            .PutUInt32BigEndian(2, Ipv4Family)
            .PutUInt32BigEndian(3, (uint)address)
            .PutUInt32BigEndian(5, (uint)port);
        return End(data);
    }

    /// <summary>Rewrites the connection's source to the outgoing interface's address.</summary>
    public NftRule Masquerade() => End(Begin("masq"));

    public NftRule Counter() => End(Begin("counter"));

    public NftRule Verdict(NftVerdict verdict, string? chain = null)
    {
        var data = Begin("immediate");
        _batch.PutUInt32BigEndian(1, VerdictRegister);
        var value = _batch.BeginNest(2);
        var nest = _batch.BeginNest(2);
        _batch.PutUInt32BigEndian(1, unchecked((uint)(int)verdict));
        if (chain is not null)
        {
            _batch.PutString(2, chain);
        }

        _batch.EndNest(nest).EndNest(value);
        return End(data);
    }

    private NftRule InSubnet(uint offset, uint network, uint mask)
    {
        Payload(NetworkHeader, offset, length: 4, NftRegister.R0);
        return Mask(NetworkOrder(mask)).Compare(NftRegister.R0, Equal, NetworkOrder(network));
    }

    private NftRule AnyBit(uint bits) => Mask(HostOrder(bits)).Compare(NftRegister.R0, NotEqual, HostOrder(0));

    private NftRule Payload(uint header, uint offset, uint length, NftRegister to)
    {
        var data = Begin("payload");
        _batch.PutUInt32BigEndian(1, (uint)to)
            .PutUInt32BigEndian(2, header)
            .PutUInt32BigEndian(3, offset)
            .PutUInt32BigEndian(4, length);
        return End(data);
    }

    private NftRule Mask(byte[] mask)
    {
        var data = Begin("bitwise");
        _batch.PutUInt32BigEndian(1, (uint)NftRegister.R0).PutUInt32BigEndian(2, (uint)NftRegister.R0).PutUInt32BigEndian(3, 4);
        var and = _batch.BeginNest(4);
        _batch.Put(NftBatch.NFTA_DATA_VALUE, mask).EndNest(and);
        var xor = _batch.BeginNest(5);
        _batch.Put(NftBatch.NFTA_DATA_VALUE, HostOrder(0)).EndNest(xor);
        return End(data);
    }

    private NftRule Compare(NftRegister register, uint operation, byte[] value)
    {
        var data = Begin("cmp");
        _batch.PutUInt32BigEndian(1, (uint)register).PutUInt32BigEndian(2, operation);
        var nest = _batch.BeginNest(3);
        _batch.Put(NftBatch.NFTA_DATA_VALUE, value).EndNest(nest);
        return End(data);
    }

    /// <summary>Opens an expression; attribute numbers behind it are those of the expression's own enum in nf_tables.h.</summary>
    private (int Element, int Data) Begin(string name)
    {
        var element = _batch.BeginNest(NftBatch.NFTA_LIST_ELEM);
        _batch.PutString(NFTA_EXPR_NAME, name);
        return (element, _batch.BeginNest(NFTA_EXPR_DATA));
    }

    private NftRule End((int Element, int Data) expression)
    {
        _batch.EndNest(expression.Data).EndNest(expression.Element);
        return this;
    }

    private static byte[] InterfaceName(string name)
    {
        var padded = new byte[InterfaceNameSize];
        Encoding.UTF8.GetBytes(name, padded);
        return padded;
    }

    private static byte[] HostOrder(uint value)
    {
        var bytes = new byte[4];
        MemoryMarshal.Write(bytes, value);
        return bytes;
    }

    private static byte[] NetworkOrder(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
