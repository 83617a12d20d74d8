using System.Buffers.Binary;
using System.Text;

namespace Wherry.Runtime.Contracts.Protocol;

/// <summary>Builds one frame: a 12-byte header (payload length, kind, tag), then little-endian fields.</summary>
/// <remarks>Binary rather than JSON because the supervisor, of which there is one per container, must stay tiny.</remarks>
public sealed class WireWriter
{
    private byte[] _buffer = new byte[256];
    private int _length;

    public WireWriter(MessageKind kind, uint tag)
    {
        Write(0u);
        Write((uint)kind);
        Write(tag);
    }

    public void Write(byte value) => Take(1)[0] = value;

    public void Write(bool value) => Write(value ? (byte)1 : (byte)0);

    public void Write(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void Write(int value) => BinaryPrimitives.WriteInt32LittleEndian(Take(4), value);

    public void Write(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void Write(long value) => BinaryPrimitives.WriteInt64LittleEndian(Take(8), value);

    /// <summary>Null and the empty string are told apart.</summary>
    public void Write(string? value)
    {
        if (value is null)
        {
            Write(-1);
            return;
        }

        var size = Encoding.UTF8.GetByteCount(value);
        Write(size);
        Encoding.UTF8.GetBytes(value, Take(size));
    }

    public void Write(IReadOnlyList<string> values)
    {
        Write(values.Count);
        foreach (var value in values)
        {
            Write(value);
        }
    }

    /// <summary>The finished frame; valid until the next write.</summary>
    public ReadOnlyMemory<byte> Finish()
    {
        BinaryPrimitives.WriteInt32LittleEndian(_buffer, _length - Frame.HeaderSize);
        return _buffer.AsMemory(0, _length);
    }

    private Span<byte> Take(int count)
    {
        if (_buffer.Length - _length < count)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        }

        var span = _buffer.AsSpan(_length, count);
        _length += count;
        return span;
    }
}

/// <summary>Reads a frame's payload. What does not fit raises <see cref="InvalidDataException"/>: peers are of one version, so it is a defect.</summary>
public ref struct WireReader(ReadOnlySpan<byte> payload)
{
    private ReadOnlySpan<byte> _rest = payload;

    public byte ReadByte() => Take(1)[0];

    public bool ReadBool() => ReadByte() != 0;

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public long ReadInt64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public string? ReadOptionalString()
    {
        var size = ReadInt32();
        return size == -1 ? null : Encoding.UTF8.GetString(Take(size));
    }

    public string ReadString() => ReadOptionalString() ?? throw new InvalidDataException("a text is missing in a supervisor message");

    public string[] ReadStrings()
    {
        var values = new string[ReadCount()];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = ReadString();
        }

        return values;
    }

    /// <summary>A number of items, each of which takes at least a byte.</summary>
    public int ReadCount()
    {
        var count = ReadInt32();
        return count >= 0 && count <= _rest.Length ? count : throw new InvalidDataException("a supervisor message is cut short");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > _rest.Length)
        {
            throw new InvalidDataException("a supervisor message is cut short");
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
