using System.Buffers.Text;

namespace Wherry.Engine.Logs;

/// <summary>
/// One line of a json-file log, <c>{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.123456789Z"}</c>,
/// taken apart without copying: a reader of a million lines allocates nothing per line.
/// </summary>
internal readonly ref struct LogRecord
{
    public const byte StandardOutput = 1;
    public const byte StandardError = 2;

    private static ReadOnlySpan<byte> Head => "{\"log\":\""u8;

    private static ReadOnlySpan<byte> StreamKey => "\",\"stream\":\"std"u8;

    private static ReadOnlySpan<byte> TimeKey => ",\"time\":\""u8;

    private LogRecord(ReadOnlySpan<byte> text, byte stream, ReadOnlySpan<byte> time)
    {
        Text = text;
        Stream = stream;
        Time = time;
    }

    /// <summary>What was written, still in JSON's escapes.</summary>
    public ReadOnlySpan<byte> Text { get; }

    /// <summary><see cref="StandardOutput"/> or <see cref="StandardError"/>: also the type byte of a multiplexed frame.</summary>
    public byte Stream { get; }

    /// <summary>RFC 3339 in UTC, up to nine digits of fraction.</summary>
    public ReadOnlySpan<byte> Time { get; }

    /// <param name="line">One line of the file, its line feed removed.</param>
    /// <param name="record">Points into <paramref name="line"/>.</param>
    /// <returns>False for what isn't a whole record; the line may still end in one, see <see cref="TryRecover"/>.</returns>
    public static bool TryParse(ReadOnlySpan<byte> line, out LogRecord record)
    {
        record = default;
        if (!line.StartsWith(Head))
        {
            return false;
        }

        // Searching from the end finds the keys at once however long the text is, and can't be fooled by it:
        // inside the text every quote has a backslash before it.
        var key = line.LastIndexOf(StreamKey);
        if (key < Head.Length)
        {
            return false;
        }

        var rest = line[(key + StreamKey.Length)..];
        if (rest.Length < 4)
        {
            return false;
        }

        var stream = rest[..3].SequenceEqual("out"u8) ? StandardOutput : rest[..3].SequenceEqual("err"u8) ? StandardError : (byte)0;
        rest = rest[3..];
        var time = rest.LastIndexOf(TimeKey);
        if (stream == 0 || time < 1 || rest[0] != (byte)'"')
        {
            return false;
        }

        rest = rest[(time + TimeKey.Length)..];
        var end = rest.IndexOf((byte)'"');
        if (end < 20 || rest[^1] != (byte)'}')
        {
            return false;
        }

        // Inside a text this can only be where an earlier record was torn.
        var text = line[Head.Length..key];
        if (text.IndexOf(Head) >= 0)
        {
            return false;
        }

        record = new LogRecord(text, stream, rest[..end]);
        return true;
    }

    /// <summary>
    /// Finds the whole record at the end of a line that begins with a torn one: what a supervisor killed in the
    /// middle of a write leaves, once the next one has appended to it.
    /// </summary>
    public static bool TryRecover(ReadOnlySpan<byte> line, out LogRecord record)
    {
        record = default;
        var start = line.LastIndexOf(Head);
        return start > 0 && TryParse(line[start..], out record);
    }

    /// <summary>The time in nanoseconds since 1970, or 0 where it can't be read.</summary>
    public long UnixNanoseconds
    {
        get
        {
            var time = Time;
            if (!Number(time, 0, 4, out var year) || !Number(time, 5, 2, out var month) || !Number(time, 8, 2, out var day)
                || !Number(time, 11, 2, out var hour) || !Number(time, 14, 2, out var minute) || !Number(time, 17, 2, out var second)
                || month is < 1 or > 12 || year is < 1970 or > 2261 || day < 1 || day > DateTime.DaysInMonth(year, month))
            {
                return 0;
            }

            var days = (long)(new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).TotalDays;
            var seconds = (((((days * 24) + hour) * 60) + minute) * 60) + second;
            return (seconds * 1_000_000_000) + Fraction(time);
        }
    }

    /// <summary>Writes the time as Docker prints it: always nine digits, so that columns line up.</summary>
    /// <returns>Bytes written, at most 64.</returns>
    public int WriteTime(Span<byte> target)
    {
        var time = Time;
        if (time.Length == 30 || time.Length > 64 || time[^1] != (byte)'Z')
        {
            var length = Math.Min(time.Length, 64);
            time[..length].CopyTo(target);
            return length;
        }

        time[..19].CopyTo(target);
        target[19] = (byte)'.';
        Utf8Formatter.TryFormat(Fraction(time), target[20..], out _, new System.Buffers.StandardFormat('D', 9));
        target[29] = (byte)'Z';
        return 30;
    }

    private static bool Number(ReadOnlySpan<byte> text, int start, int length, out int value) =>
        Utf8Parser.TryParse(text.Slice(start, length), out value, out var consumed) && consumed == length;

    private static long Fraction(ReadOnlySpan<byte> time)
    {
        long fraction = 0;
        var digits = 0;
        if (time.Length > 20 && time[19] == (byte)'.')
        {
            for (var i = 20; i < time.Length && digits < 9 && char.IsAsciiDigit((char)time[i]); i++, digits++)
            {
                fraction = (fraction * 10) + (time[i] - '0');
            }
        }

        for (; digits < 9; digits++)
        {
            fraction *= 10;
        }

        return fraction;
    }
}
