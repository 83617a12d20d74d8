using System.Text;
using Wherry.Errors;

namespace Wherry.Runtime.Checkpoints;

/// <summary>Reads a message of protocol buffers field by field; what it is not asked for it passes over.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private const int Fixed64 = 1;
    private const int Fixed32 = 5;

    private ReadOnlySpan<byte> _rest = message;
    private ReadOnlySpan<byte> _counted;
    private ulong _number;

    /// <summary>The field that <see cref="Next"/> has come to.</summary>
    public int Field { get; private set; }

    /// <summary>Goes to the next field; false at the end.</summary>
    /// <exception cref="WherryException">The bytes are no message.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var key = Varint();
        Field = (int)(key >> 3);
        _counted = default;
        _number = 0;
        switch ((int)(key & 7))
        {
            case ProtobufWriter.Varint:
                _number = Varint();
                break;
            case ProtobufWriter.Counted:
                _counted = Take(Varint());
                break;
            case Fixed64:
                Take(sizeof(ulong));
                break;
            case Fixed32:
                Take(sizeof(uint));
                break;
            default:
                throw Malformed();
        }

        return true;
    }

    public readonly int Number => (int)_number;

    public readonly bool Flag => _number != 0;

    public readonly string Text => Encoding.UTF8.GetString(_counted);

    public readonly ReadOnlySpan<byte> Message => _counted;

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length)
        {
            throw Malformed();
        }

        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    private ulong Varint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(1)[0];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Malformed();
    }

    private static WherryException Malformed() => WherryException.System("CRIU answered with what is not a message of its protocol");
}
