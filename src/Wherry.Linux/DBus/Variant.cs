namespace Wherry.Linux.DBus;

/// <summary>A value with its type (D-Bus specification, "Type System"): the basic types that have no meaning to a bus, arrays and structures of them.</summary>
/// <param name="Signature">The type.</param>
/// <param name="Value">
/// A <see cref="bool"/>, <see cref="string"/> or <see cref="double"/>; for integers of every size, in two's complement, a
/// <see cref="ulong"/>; the elements of an array or a structure.
/// </param>
public sealed record Variant(string Signature, object Value)
{
    /// <summary>Writes the signature, then the value.</summary>
    public void WriteTo(BusWriter writer)
    {
        writer.WriteSignature(Signature);
        WriteValue(writer);
    }

    private void WriteValue(BusWriter writer)
    {
        switch (Signature[0])
        {
            case 'b':
                writer.Write((bool)Value);
                break;
            case 's':
                writer.Write((string)Value);
                break;
            case 'd':
                writer.Write(BitConverter.DoubleToUInt64Bits((double)Value));
                break;
            case 'a':
                writer.WriteArray(Alignment(Signature[1]), array => Array.ForEach((Variant[])Value, element => element.WriteValue(array)));
                break;
            case '(':
                writer.Align(8);
                Array.ForEach((Variant[])Value, member => member.WriteValue(writer));
                break;
            default:
                WriteInteger(writer);
                break;
        }
    }

    // Whoever made the value has seen to it that it fits.
    private void WriteInteger(BusWriter writer)
    {
        var bits = (ulong)Value;
        switch (Alignment(Signature[0]))
        {
            case 1:
                writer.Write(unchecked((byte)bits));
                break;
            case 2:
                writer.Write(unchecked((ushort)bits));
                break;
            case 4:
                writer.Write(unchecked((uint)bits));
                break;
            default:
                writer.Write(bits);
                break;
        }
    }

    private static int Alignment(char type) => type switch
    {
        'y' => 1,
        'n' or 'q' => 2,
        'b' or 'i' or 'u' or 's' or 'a' => 4,
        _ => 8,
    };
}
