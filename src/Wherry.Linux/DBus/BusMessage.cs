namespace Wherry.Linux.DBus;

/// <summary>What a message is for (D-Bus specification, "Message Format").</summary>
public enum BusMessageKind : byte
{
    Call = 1,
    Return = 2,
    Error = 3,
    Signal = 4,
}

/// <summary>One message. What is not in its header is an empty string.</summary>
public sealed record BusMessage
{
    /// <summary>The bytes up to and including the length of the header's fields.</summary>
    public const int FixedSize = 16;

    private const byte LittleEndian = (byte)'l';
    private const byte Version = 1;
    private const uint MostBytes = 1 << 27;

    private enum Field : byte
    {
        Path = 1,
        Interface = 2,
        Member = 3,
        ErrorName = 4,
        ReplySerial = 5,
        Destination = 6,
        Signature = 8,
    }

    public required BusMessageKind Kind { get; init; }

    public uint Serial { get; init; }

    /// <summary>The serial of the call this answers; 0 for none.</summary>
    public uint ReplySerial { get; init; }

    public string Path { get; init; } = "";

    public string Interface { get; init; } = "";

    public string Member { get; init; } = "";

    public string ErrorName { get; init; } = "";

    public string Destination { get; init; } = "";

    /// <summary>The types of what is in the body.</summary>
    public string Signature { get; init; } = "";

    public byte[] Body { get; init; } = [];

    public byte[] ToBytes()
    {
        var writer = new BusWriter();
        writer.Write(LittleEndian);
        writer.Write((byte)Kind);
        writer.Write(0);
        writer.Write(Version);
        writer.Write((uint)Body.Length);
        writer.Write(Serial);
        writer.WriteArray(8, WriteFields);
        writer.Align(8);
        return [.. writer.Written, .. Body];
    }

    /// <summary>How long a message is in all.</summary>
    /// <param name="start">Its first <see cref="FixedSize"/> bytes.</param>
    /// <exception cref="BusException">It is no message of this version, or longer than one may be.</exception>
    public static int LengthOf(ReadOnlySpan<byte> start)
    {
        if (start[0] != LittleEndian || start[3] != Version)
        {
            throw new BusException("what came is not a little-endian message of version 1");
        }

        var reader = new BusReader(start);
        reader.Align(4);
        _ = reader.ReadUInt32();
        ulong body = reader.ReadUInt32();
        _ = reader.ReadUInt32();
        ulong fields = reader.ReadUInt32();
        var length = FixedSize + ((fields + 7) & ~7UL) + body;
        return length <= MostBytes ? (int)length : throw new BusException($"a message of {length} bytes is more than the protocol has");
    }

    /// <param name="bytes">A whole message.</param>
    /// <exception cref="BusException">It isn't one.</exception>
    public static BusMessage Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new BusReader(bytes);
        _ = reader.ReadByte();
        var message = new BusMessage { Kind = (BusMessageKind)reader.ReadByte() };
        reader.Align(4);
        var body = reader.ReadUInt32();
        message = message with { Serial = reader.ReadUInt32() };
        var end = FixedSize + reader.ReadUInt32();
        while (reader.Position < end)
        {
            reader.Align(8);
            message = ReadField(ref reader, message);
        }

        reader.Align(8);
        return bytes.Length - reader.Position == body
            ? message with { Body = bytes[reader.Position..].ToArray() }
            : throw new BusException("a message's body is not as long as its header says");
    }

    private static BusMessage ReadField(ref BusReader reader, BusMessage message)
    {
        var field = (Field)reader.ReadByte();
        var type = reader.ReadSignature();
        switch ((field, type))
        {
            case (Field.Path, "o"):
                return message with { Path = reader.ReadString() };
            case (Field.Interface, "s"):
                return message with { Interface = reader.ReadString() };
            case (Field.Member, "s"):
                return message with { Member = reader.ReadString() };
            case (Field.ErrorName, "s"):
                return message with { ErrorName = reader.ReadString() };
            case (Field.ReplySerial, "u"):
                return message with { ReplySerial = reader.ReadUInt32() };
            case (Field.Destination, "s"):
                return message with { Destination = reader.ReadString() };
            case (Field.Signature, "g"):
                return message with { Signature = reader.ReadSignature() };
            default:
                // Who the sender is and what later versions may add.
                reader.Skip(type);
                return message;
        }
    }

    private void WriteFields(BusWriter writer)
    {
        Write(writer, Field.Path, "o", Path);
        Write(writer, Field.Interface, "s", Interface);
        Write(writer, Field.Member, "s", Member);
        Write(writer, Field.ErrorName, "s", ErrorName);
        if (ReplySerial != 0)
        {
            Begin(writer, Field.ReplySerial, "u");
            writer.Write(ReplySerial);
        }

        Write(writer, Field.Destination, "s", Destination);
        if (Signature.Length > 0)
        {
            Begin(writer, Field.Signature, "g");
            writer.WriteSignature(Signature);
        }
    }

    private static void Write(BusWriter writer, Field field, string type, string value)
    {
        if (value.Length > 0)
        {
            Begin(writer, field, type);
            writer.Write(value);
        }
    }

    private static void Begin(BusWriter writer, Field field, string type)
    {
        writer.Align(8);
        writer.Write((byte)field);
        writer.WriteSignature(type);
    }
}
