using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Wherry.Linux.Netlink;

/// <summary>
/// Netlink messages written one behind the other, sent in one system call (netlink(7)). Lengths are patched when a message
/// or nest ends; everything is aligned to four bytes, in host byte order unless the name says big-endian. Reusable, not
/// thread-safe.
/// </summary>
public sealed class NetlinkBatch
{
    private const int HeaderSize = 16;
    private const ushort Nested = 0x8000;

    private readonly List<string?> _doing = [];
    private byte[] _buffer;
    private int _length;
    private int _message = -1;

    public NetlinkBatch(int capacity = 2048) => _buffer = new byte[capacity];

    public int Count => _doing.Count;

    public int Length => _length;

    /// <summary>The finished messages, valid until the next change.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>What the n-th message does, for its error; null where a failure is of no interest.</summary>
    internal string? Doing(int index) => _doing[index];

    public void Clear()
    {
        _length = 0;
        _message = -1;
        _doing.Clear();
    }

    /// <summary>Starts a message; NLM_F_REQUEST is added.</summary>
    /// <param name="type">The message type (nlmsg_type).</param>
    /// <param name="flags">Further flags, see <see cref="NetlinkFlags"/>.</param>
    /// <param name="doing">Names operation and object, for an error; null when the message may fail (a feature some kernels lack).</param>
    /// <param name="header">The protocol's fixed header (ifinfomsg, ifaddrmsg, …).</param>
    public NetlinkBatch Begin(ushort type, NetlinkFlags flags, string? doing, ReadOnlySpan<byte> header)
    {
        if (_message >= 0)
        {
            throw new InvalidOperationException("the previous message was not ended");
        }

        _message = _length;
        var head = Reserve(HeaderSize);
        MemoryMarshal.Write(head[4..], type);
        MemoryMarshal.Write(head[6..], (ushort)(flags | NetlinkFlags.Request));
        // The position stands in for the sequence number; the socket adds its own base when it sends.
        MemoryMarshal.Write(head[8..], (uint)_doing.Count);
        _doing.Add(doing);
        header.CopyTo(Reserve(header.Length));
        return this;
    }

    public NetlinkBatch End()
    {
        if (_message < 0)
        {
            throw new InvalidOperationException("no message was begun");
        }

        MemoryMarshal.Write(_buffer.AsSpan(_message), (uint)(_length - _message));
        _message = -1;
        return this;
    }

    public NetlinkBatch Put(ushort attribute, ReadOnlySpan<byte> value)
    {
        value.CopyTo(Attribute(attribute, value.Length));
        return this;
    }

    public NetlinkBatch PutFlag(ushort attribute) => Put(attribute, default);

    public NetlinkBatch PutByte(ushort attribute, byte value) => Put(attribute, [value]);

    public NetlinkBatch PutUInt16(ushort attribute, ushort value)
    {
        MemoryMarshal.Write(Attribute(attribute, 2), value);
        return this;
    }

    public NetlinkBatch PutUInt32(ushort attribute, uint value)
    {
        MemoryMarshal.Write(Attribute(attribute, 4), value);
        return this;
    }

    public NetlinkBatch PutUInt32BigEndian(ushort attribute, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Attribute(attribute, 4), value);
        return this;
    }

    /// <summary>A string with its terminating zero byte.</summary>
    public NetlinkBatch PutString(ushort attribute, string value)
    {
        var size = Encoding.UTF8.GetByteCount(value);
        var destination = Attribute(attribute, size + 1);
        Encoding.UTF8.GetBytes(value, destination);
        return this;
    }

    /// <summary>Opens a nested attribute; returns its position for <see cref="EndNest"/>.</summary>
    public int BeginNest(ushort attribute)
    {
        var position = _length;
        MemoryMarshal.Write(Reserve(4)[2..], (ushort)(attribute | Nested));
        return position;
    }

    public NetlinkBatch EndNest(int position)
    {
        var length = _length - position;
        if (length > ushort.MaxValue)
        {
            throw new InvalidOperationException("a netlink attribute can't be longer than 65535 bytes; split the list");
        }

        MemoryMarshal.Write(_buffer.AsSpan(position), (ushort)length);
        return this;
    }

    /// <summary>Bytes without an attribute header, as some nests begin with a fixed structure (VETH_INFO_PEER).</summary>
    public NetlinkBatch PutRaw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(Reserve(value.Length));
        return this;
    }

    /// <summary>Writes the final sequence numbers, starting at <paramref name="first"/>.</summary>
    internal void Number(uint first)
    {
        if (_message >= 0)
        {
            throw new InvalidOperationException("the last message was not ended");
        }

        var position = 0;
        for (var index = 0u; index < _doing.Count; index++)
        {
            var message = _buffer.AsSpan(position);
            MemoryMarshal.Write(message[8..], first + index);
            position += Align((int)MemoryMarshal.Read<uint>(message));
        }
    }

    private static int Align(int length) => (length + 3) & ~3;

    private Span<byte> Attribute(ushort attribute, int size)
    {
        var whole = Reserve(4 + size);
        MemoryMarshal.Write(whole, (ushort)(4 + size));
        MemoryMarshal.Write(whole[2..], attribute);
        return whole.Slice(4, size);
    }

    private Span<byte> Reserve(int size)
    {
        var aligned = Align(size);
        if (_length + aligned > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + aligned));
        }

        var span = _buffer.AsSpan(_length, aligned);
        span.Clear();
        _length += aligned;
        return span;
    }
}
