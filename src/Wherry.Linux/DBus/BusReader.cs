using System.Buffers.Binary;
using System.Text;

namespace Wherry.Linux.DBus;

/// <summary>The opposite of <see cref="BusWriter"/>, on bytes that may be anything.</summary>
public ref struct BusReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; private set; }

    /// <exception cref="BusException">The bytes end before.</exception>
    public void Align(int alignment) => Take((alignment - (Position % alignment)) % alignment);

    /// <exception cref="BusException">As above, and for each that follows.</exception>
    public byte ReadByte() => Take(1)[0];

    public uint ReadUInt32()
    {
        Align(sizeof(uint));
        return BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));
    }

    /// <summary>A string or an object path.</summary>
    public string ReadString() => ReadText(ReadUInt32());

    public string ReadSignature() => ReadText(ReadByte());

    /// <summary>Reads over a value of a basic type.</summary>
    public void Skip(string signature)
    {
        switch (signature)
        {
            case "y":
                ReadByte();
                break;
            case "n" or "q":
                Align(sizeof(ushort));
                Take(sizeof(ushort));
                break;
            case "b" or "i" or "u" or "h":
                ReadUInt32();
                break;
            case "x" or "t" or "d":
                Align(sizeof(ulong));
                Take(sizeof(ulong));
                break;
            case "s" or "o":
                ReadString();
                break;
            case "g":
                ReadSignature();
                break;
            default:
                throw new BusException($"a header field is of the type \"{signature}\"");
        }
    }

    private string ReadText(uint length)
    {
        if (length >= _bytes.Length - Position)
        {
            throw Short();
        }

        var text = Encoding.UTF8.GetString(Take((int)length));
        return ReadByte() == 0 ? text : throw new BusException("a string does not end where it says");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - Position)
        {
            throw Short();
        }

        var taken = _bytes.Slice(Position, count);
        Position += count;
        return taken;
    }

    private static BusException Short() => new("a message ends in the middle of a value");
}
