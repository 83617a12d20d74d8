using System.Buffers.Text;
using System.Text;

namespace Wherry.Engine.Logs;

/// <summary>Takes the escapes out of a JSON string (RFC 8259, section 7), bytes to bytes.</summary>
internal static class JsonText
{
    /// <param name="escaped">The inside of a JSON string.</param>
    /// <param name="target">At least as long as <paramref name="escaped"/>: no escape is shorter than what it stands for.</param>
    /// <returns>Bytes written.</returns>
    public static int Unescape(ReadOnlySpan<byte> escaped, Span<byte> target)
    {
        var written = 0;
        while (true)
        {
            var plain = escaped.IndexOf((byte)'\\');
            if (plain < 0 || plain == escaped.Length - 1)
            {
                escaped.CopyTo(target[written..]);
                return written + escaped.Length;
            }

            escaped[..plain].CopyTo(target[written..]);
            written += plain;
            escaped = escaped[plain..];
            written += escaped[1] == (byte)'u'
                ? UnescapeUnicode(ref escaped, target[written..])
                : UnescapeSimple(ref escaped, target[written..]);
        }
    }

    private static int UnescapeSimple(ref ReadOnlySpan<byte> escaped, Span<byte> target)
    {
        target[0] = escaped[1] switch
        {
            (byte)'n' => (byte)'\n',
            (byte)'t' => (byte)'\t',
            (byte)'r' => (byte)'\r',
            (byte)'b' => (byte)'\b',
            (byte)'f' => (byte)'\f',
            var other => other,
        };
        escaped = escaped[2..];
        return 1;
    }

    private static int UnescapeUnicode(ref ReadOnlySpan<byte> escaped, Span<byte> target)
    {
        if (!TryHex(escaped, out var first))
        {
            // Not an escape after all: keep the backslash, as nothing may get lost.
            target[0] = (byte)'\\';
            escaped = escaped[1..];
            return 1;
        }

        escaped = escaped[6..];
        var rune = Rune.ReplacementChar;
        if (char.IsHighSurrogate(first) && escaped.StartsWith("\\u"u8) && TryHex(escaped, out var second) && char.IsLowSurrogate(second))
        {
            rune = new Rune(first, second);
            escaped = escaped[6..];
        }
        else if (!char.IsSurrogate(first))
        {
            rune = new Rune(first);
        }

        return rune.EncodeToUtf8(target);
    }

    private static bool TryHex(ReadOnlySpan<byte> escaped, out char unit)
    {
        unit = default;
        if (escaped.Length < 6 || !Utf8Parser.TryParse(escaped.Slice(2, 4), out uint value, out var consumed, 'x') || consumed != 4)
        {
            return false;
        }

        unit = (char)value;
        return true;
    }
}
