using System.Buffers.Binary;
using System.Text;
using Wherry.Linux.Netlink;

namespace Wherry.Linux.Nftables;

/// <summary>One element of a map: key and value as the packet's bytes, each part padded to 4 bytes.</summary>
/// <param name="Key">As long as the map's key.</param>
/// <param name="Value">As long as the map's value; ignored when deleting.</param>
/// <param name="Comment">Shown by <c>nft list</c>; at most 127 bytes are kept.</param>
public readonly record struct NftElement(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value, string? Comment);

/// <summary>
/// A transaction of nf_tables on one table of family ip: all of it happens, or nothing does. Written as the netlink messages
/// the kernel takes (linux/netfilter/nf_tables.h); neither nft nor libnftables is involved.
/// </summary>
public sealed class NftBatch
{
    private const byte Ipv4Family = 2;
    private const ushort Subsystem = 10;
    private const ushort BatchBegin = 16;
    private const ushort BatchEnd = 17;

    private const ushort NFT_MSG_NEWTABLE = 0;
    private const ushort NFT_MSG_DELTABLE = 2;
    private const ushort NFT_MSG_NEWCHAIN = 3;
    private const ushort NFT_MSG_NEWRULE = 6;
    private const ushort NFT_MSG_DELRULE = 8;
    private const ushort NFT_MSG_NEWSET = 9;
    private const ushort NFT_MSG_NEWSETELEM = 12;
    private const ushort NFT_MSG_DELSETELEM = 14;

    private const ushort NFTA_TABLE_NAME = 1;
    private const ushort NFTA_CHAIN_TABLE = 1;
    private const ushort NFTA_CHAIN_NAME = 3;
    private const ushort NFTA_CHAIN_HOOK = 4;
    private const ushort NFTA_CHAIN_POLICY = 5;
    private const ushort NFTA_CHAIN_TYPE = 7;
    private const ushort NFTA_HOOK_HOOKNUM = 1;
    private const ushort NFTA_HOOK_PRIORITY = 2;
    private const ushort NFTA_RULE_TABLE = 1;
    private const ushort NFTA_RULE_CHAIN = 2;
    private const ushort NFTA_RULE_EXPRESSIONS = 4;
    private const ushort NFTA_RULE_USERDATA = 7;
    private const ushort NFTA_SET_TABLE = 1;
    private const ushort NFTA_SET_NAME = 2;
    private const ushort NFTA_SET_FLAGS = 3;
    private const ushort NFTA_SET_KEY_TYPE = 4;
    private const ushort NFTA_SET_KEY_LEN = 5;
    private const ushort NFTA_SET_DATA_TYPE = 6;
    private const ushort NFTA_SET_DATA_LEN = 7;
    private const ushort NFTA_SET_ID = 10;
    private const ushort NFTA_SET_ELEM_LIST_TABLE = 1;
    private const ushort NFTA_SET_ELEM_LIST_SET = 2;
    private const ushort NFTA_SET_ELEM_LIST_ELEMENTS = 3;
    private const ushort NFTA_SET_ELEM_KEY = 1;
    private const ushort NFTA_SET_ELEM_DATA = 2;
    private const ushort NFTA_SET_ELEM_USERDATA = 6;
    internal const ushort NFTA_LIST_ELEM = 1;
    internal const ushort NFTA_DATA_VALUE = 1;
    private const uint NFT_SET_MAP = 8;
    private const uint PolicyAccept = 1;

    // NFTNL_UDATA_RULE_COMMENT and NFTNL_UDATA_SET_ELEM_COMMENT: nft's own encoding of a comment.
    private const byte CommentTag = 0;
    private const int CommentLimit = 127;

    // An element takes some 60 to 200 bytes and a list of them must stay below 64 kB.
    private const int ElementsPerMessage = 256;

    private readonly NetlinkBatch _batch = new();
    private readonly string _table;
    private uint _setId;

    public NftBatch(string table)
    {
        _table = table;
        _batch.Begin(BatchBegin, NetlinkFlags.None, $"begin nftables transaction on {table}", Header(Subsystem)).End();
    }

    /// <summary>Commits the transaction.</summary>
    /// <exception cref="NetlinkException">Nothing was changed; the message names the step that failed.</exception>
    public void Commit(NetlinkSocket netfilter)
    {
        _batch.Begin(BatchEnd, NetlinkFlags.None, $"commit nftables transaction on {_table}", Header(Subsystem)).End();
        netfilter.Execute(_batch);
    }

    /// <summary>Adds the table; no error when it exists.</summary>
    public NftBatch AddTable()
    {
        Begin(NFT_MSG_NEWTABLE, NetlinkFlags.Create, $"add table {_table}").PutString(NFTA_TABLE_NAME, _table).End();
        return this;
    }

    /// <summary>Deletes the table with all in it; it must exist (adding it first in the same transaction makes sure).</summary>
    public NftBatch DeleteTable()
    {
        Begin(NFT_MSG_DELTABLE, NetlinkFlags.None, $"delete table {_table}").PutString(NFTA_TABLE_NAME, _table).End();
        return this;
    }

    /// <summary>Adds a map from a concatenation of types to another; no error when the same map exists.</summary>
    public NftBatch AddMap(string name, ReadOnlySpan<NftType> key, ReadOnlySpan<NftType> value)
    {
        // Every type used here takes one register, 4 bytes, in a concatenation.
        Begin(NFT_MSG_NEWSET, NetlinkFlags.Create, $"add map {name} to table {_table}")
            .PutString(NFTA_SET_TABLE, _table)
            .PutString(NFTA_SET_NAME, name)
            .PutUInt32BigEndian(NFTA_SET_FLAGS, NFT_SET_MAP)
            .PutUInt32BigEndian(NFTA_SET_KEY_TYPE, Concatenate(key))
            .PutUInt32BigEndian(NFTA_SET_KEY_LEN, (uint)(4 * key.Length))
            .PutUInt32BigEndian(NFTA_SET_DATA_TYPE, Concatenate(value))
            .PutUInt32BigEndian(NFTA_SET_DATA_LEN, (uint)(4 * value.Length))
            .PutUInt32BigEndian(NFTA_SET_ID, ++_setId)
            .End();
        return this;
    }

    /// <summary>Adds a chain that is called by jumps only; no error when it exists.</summary>
    public NftBatch AddChain(string name)
    {
        BeginChain(name).End();
        return this;
    }

    /// <summary>Adds a base chain with policy accept; no error when the same chain exists.</summary>
    /// <param name="name">The chain.</param>
    /// <param name="type"><c>nat</c> or <c>filter</c>.</param>
    /// <param name="hook">Where it is called.</param>
    /// <param name="priority">Its place among the hook's chains.</param>
    public NftBatch AddBaseChain(string name, string type, NftHook hook, NftPriority priority)
    {
        BeginChain(name).PutString(NFTA_CHAIN_TYPE, type).PutUInt32BigEndian(NFTA_CHAIN_POLICY, PolicyAccept);
        var nest = _batch.BeginNest(NFTA_CHAIN_HOOK);
        _batch.PutUInt32BigEndian(NFTA_HOOK_HOOKNUM, (uint)hook)
            .PutUInt32BigEndian(NFTA_HOOK_PRIORITY, unchecked((uint)(int)priority))
            .EndNest(nest)
            .End();
        return this;
    }

    /// <summary>Removes all rules of a chain.</summary>
    public NftBatch FlushChain(string name)
    {
        Begin(NFT_MSG_DELRULE, NetlinkFlags.None, $"flush chain {name} of table {_table}")
            .PutString(NFTA_RULE_TABLE, _table)
            .PutString(NFTA_RULE_CHAIN, name)
            .End();
        return this;
    }

    /// <summary>Appends a rule.</summary>
    /// <param name="chain">The chain.</param>
    /// <param name="comment">Says what the rule is for, in <c>nft list</c> and in errors.</param>
    /// <param name="write">Writes the rule's expressions, in the order of their evaluation.</param>
    public NftBatch AddRule(string chain, string comment, Action<NftRule> write)
    {
        Begin(NFT_MSG_NEWRULE, NetlinkFlags.Create | NetlinkFlags.Append, $"add rule \"{comment}\" to chain {chain} of table {_table}")
            .PutString(NFTA_RULE_TABLE, _table)
            .PutString(NFTA_RULE_CHAIN, chain);
        var expressions = _batch.BeginNest(NFTA_RULE_EXPRESSIONS);
        write(new NftRule(_batch));
        _batch.EndNest(expressions);
        PutComment(NFTA_RULE_USERDATA, comment);
        _batch.End();
        return this;
    }

    /// <summary>Adds elements to a map; adding the same again is no error, the same key with another value is (EEXIST).</summary>
    public NftBatch AddElements(string map, IReadOnlyList<NftElement> elements) => Elements(NFT_MSG_NEWSETELEM, "add", map, elements);

    /// <summary>Deletes elements by key; each must exist (ENOENT).</summary>
    public NftBatch DeleteElements(string map, IReadOnlyList<NftElement> elements) => Elements(NFT_MSG_DELSETELEM, "delete", map, elements);

    private NftBatch Elements(ushort type, string verb, string map, IReadOnlyList<NftElement> elements)
    {
        for (var start = 0; start < elements.Count; start += ElementsPerMessage)
        {
            Begin(type, type == NFT_MSG_NEWSETELEM ? NetlinkFlags.Create : NetlinkFlags.None, $"{verb} elements of map {map} in table {_table}")
                .PutString(NFTA_SET_ELEM_LIST_TABLE, _table)
                .PutString(NFTA_SET_ELEM_LIST_SET, map);
            var list = _batch.BeginNest(NFTA_SET_ELEM_LIST_ELEMENTS);
            for (var i = start; i < Math.Min(elements.Count, start + ElementsPerMessage); i++)
            {
                var nest = _batch.BeginNest(NFTA_LIST_ELEM);
                PutValue(NFTA_SET_ELEM_KEY, elements[i].Key.Span);
                if (type == NFT_MSG_NEWSETELEM)
                {
                    PutValue(NFTA_SET_ELEM_DATA, elements[i].Value.Span);
                    PutComment(NFTA_SET_ELEM_USERDATA, elements[i].Comment);
                }

                _batch.EndNest(nest);
            }

            _batch.EndNest(list).End();
        }

        return this;
    }

    private NetlinkBatch BeginChain(string name) =>
        Begin(NFT_MSG_NEWCHAIN, NetlinkFlags.Create, $"add chain {name} to table {_table}")
            .PutString(NFTA_CHAIN_TABLE, _table)
            .PutString(NFTA_CHAIN_NAME, name);

    private NetlinkBatch Begin(ushort message, NetlinkFlags flags, string doing) =>
        _batch.Begin((ushort)((Subsystem << 8) | message), flags, doing, Header(0));

    private void PutValue(ushort attribute, ReadOnlySpan<byte> value)
    {
        var nest = _batch.BeginNest(attribute);
        _batch.Put(NFTA_DATA_VALUE, value).EndNest(nest);
    }

    private void PutComment(ushort attribute, string? comment)
    {
        if (string.IsNullOrEmpty(comment))
        {
            return;
        }

        // Tag, length, text with its zero byte.
        var text = Encoding.UTF8.GetBytes(comment);
        var kept = Math.Min(text.Length, CommentLimit);
        var data = new byte[kept + 3];
        data[0] = CommentTag;
        data[1] = (byte)(kept + 1);
        text.AsSpan(0, kept).CopyTo(data.AsSpan(2));
        _batch.Put(attribute, data);
    }

    private static uint Concatenate(ReadOnlySpan<NftType> types)
    {
        var number = 0u;
        foreach (var type in types)
        {
            number = (number << 6) | (uint)type;
        }

        return number;
    }

    /// <summary>struct nfgenmsg: family, version 0, resource in network byte order.</summary>
    private static byte[] Header(ushort resource)
    {
        var header = new byte[4];
        header[0] = resource == 0 ? Ipv4Family : (byte)0;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), resource);
        return header;
    }
}
