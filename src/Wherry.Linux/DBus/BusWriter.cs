using System.Buffers.Binary;
using System.Text;

namespace Wherry.Linux.DBus;

/// <summary>Marshals values as they are on the wire (D-Bus specification, "Marshaling"), little-endian.</summary>
public sealed class BusWriter
{
    private byte[] _buffer = new byte[512];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    /// <summary>Pads with zeros to a multiple of <paramref name="alignment"/>; a structure or map entry begins at one of eight.</summary>
    public void Align(int alignment)
    {
        while (Length % alignment != 0)
        {
            Write(0);
        }
    }

    public void Write(byte value) => Take(1)[0] = value;

    public void Write(bool value) => Write(value ? 1u : 0u);

    public void Write(ushort value)
    {
        Align(sizeof(ushort));
        BinaryPrimitives.WriteUInt16LittleEndian(Take(sizeof(ushort)), value);
    }

    public void Write(uint value)
    {
        Align(sizeof(uint));
        BinaryPrimitives.WriteUInt32LittleEndian(Take(sizeof(uint)), value);
    }

    public void Write(ulong value)
    {
        Align(sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(Take(sizeof(ulong)), value);
    }

    /// <summary>A string or, which looks the same, an object path.</summary>
    public void Write(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        Write((uint)length);
        Encoding.UTF8.GetBytes(value, Take(length));
        Write(0);
    }

    public void WriteSignature(string signature)
    {
        Write(checked((byte)signature.Length));
        Encoding.ASCII.GetBytes(signature, Take(signature.Length));
        Write(0);
    }

    /// <summary>An array of whatever <paramref name="writeElements"/> writes.</summary>
    /// <param name="alignment">The elements'.</param>
    /// <param name="writeElements">Writes them one after another.</param>
    public void WriteArray(int alignment, Action<BusWriter> writeElements)
    {
        Write(0u);
        var lengthAt = Length - sizeof(uint);

        // The padding before the first element does not count, and is there even when there is none.
        Align(alignment);
        var start = Length;
        writeElements(this);
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(lengthAt), (uint)(Length - start));
    }

    private Span<byte> Take(int count)
    {
        if (Length + count > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, Length + count));
        }

        var taken = _buffer.AsSpan(Length, count);
        Length += count;
        return taken;
    }
}
