using System.Buffers;
using System.Text;

namespace Wherry.Runtime.Checkpoints;

/// <summary>Writes a message of protocol buffers (protobuf.dev, "Encoding"), as far as CRIU's RPC needs it.</summary>
internal sealed class ProtobufWriter
{
    /// <summary>A field that is one variable-length number.</summary>
    public const int Varint = 0;

    /// <summary>A field whose length comes first: text, or a message.</summary>
    public const int Counted = 2;

    private const int TypeBits = 3;

    private readonly ArrayBufferWriter<byte> _bytes = new(256);

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    public void Number(int field, long value)
    {
        Key(field, Varint);
        Append((ulong)value);
    }

    public void Flag(int field, bool value) => Number(field, value ? 1 : 0);

    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public void Message(int field, Action<ProtobufWriter> write)
    {
        var inner = new ProtobufWriter();
        write(inner);
        Bytes(field, inner.Written);
    }

    private void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Key(field, Counted);
        Append((ulong)value.Length);
        _bytes.Write(value);
    }

    private void Key(int field, int type) => Append(((ulong)field << TypeBits) | (uint)type);

    private void Append(ulong value)
    {
        while (value >= 0x80)
        {
            _bytes.Write([(byte)(value | 0x80)]);
            value >>= 7;
        }

        _bytes.Write([(byte)value]);
    }
}
