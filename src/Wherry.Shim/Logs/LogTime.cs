using System.Globalization;

namespace Wherry.Shim.Logs;

/// <summary>The time of output, as RFC 3339 with up to nine decimals and no zeros at the end (Go's RFC3339Nano).</summary>
public sealed class LogTime
{
    private readonly byte[] _text = new byte[40];
    private long _ticks;
    private int _length;

    public ReadOnlySpan<byte> Text => _text.AsSpan(0, _length);

    public void Refresh()
    {
        var now = DateTime.UtcNow;
        if (now.Ticks != _ticks)
        {
            _ticks = now.Ticks;
            _length = Format(now, _text);
        }
    }

    /// <returns>How many bytes were written; at most 30.</returns>
    public static int Format(DateTime utc, Span<byte> text)
    {
        utc.TryFormat(text, out var length, "yyyy-MM-ddTHH:mm:ss.fffffff", CultureInfo.InvariantCulture);
        while (text[length - 1] == '0')
        {
            length--;
        }

        if (text[length - 1] == '.')
        {
            length--;
        }

        text[length++] = (byte)'Z';
        return length;
    }
}
