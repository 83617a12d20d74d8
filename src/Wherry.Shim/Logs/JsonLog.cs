using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Wherry.Runtime.Contracts;
using Wherry.Shim.Streams;

namespace Wherry.Shim.Logs;

/// <summary>
/// Docker's json-file log: one JSON object per line of output. A line longer than 16 kB is written in pieces,
/// of which only the last has a line end; so is one that the program never finished.
/// </summary>
public sealed unsafe class JsonLog : IDisposable
{
    /// <summary>Docker's limit; readers put longer lines together again.</summary>
    public const int LongestLine = 16 * 1024;

    // An escaped byte takes up to six; the rest is the frame around a line.
    private const int RoomAround = 128;
    private const int BufferSize = (LongestLine * 6) + RoomAround + (32 * 1024);

    private static readonly SearchValues<byte> NeedsCare = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Concat([(int)'"', (int)'\\']).Concat(Enumerable.Range(0x7f, 0x81)).Select(value => (byte)value)]);

    private readonly LogRotation _file;
    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(BufferSize);
    private readonly PartialLine _stdout = new();
    private readonly PartialLine _stderr = new();
    private readonly LogTime _time = new();
    private int _length;

    public JsonLog(LogFile file) => _file = new LogRotation(file);

    /// <summary>Writes output; what is not yet a whole line waits for its rest.</summary>
    public void Write(OutputKind kind, ReadOnlySpan<byte> output)
    {
        _time.Refresh();
        var partial = kind == OutputKind.Stdout ? _stdout : _stderr;
        while (output.Length > 0)
        {
            var end = output.IndexOf((byte)'\n');
            var line = end < 0 ? output : output[..(end + 1)];
            if (partial.IsEmpty && line.Length <= LongestLine && end >= 0)
            {
                WriteRecord(kind, line);
            }
            else
            {
                // A piece at a time, as long as it is to be put together with what waits.
                line = line[..Math.Min(line.Length, partial.Room)];
                partial.Add(line);
                if (partial.Room == 0 || line[^1] == '\n')
                {
                    WriteRecord(kind, partial.Take());
                }
            }

            output = output[line.Length..];
        }

        Flush();
    }

    /// <summary>Writes what never became a whole line.</summary>
    public void End()
    {
        _time.Refresh();
        foreach (var kind in (ReadOnlySpan<OutputKind>)[OutputKind.Stdout, OutputKind.Stderr])
        {
            var partial = kind == OutputKind.Stdout ? _stdout : _stderr;
            if (!partial.IsEmpty)
            {
                WriteRecord(kind, partial.Take());
            }
        }

        Flush();
    }

    public void Dispose()
    {
        _file.Dispose();
        NativeMemory.Free(_buffer);
    }

    private void WriteRecord(OutputKind kind, ReadOnlySpan<byte> line)
    {
        if (BufferSize - _length < (line.Length * 6) + RoomAround)
        {
            Flush();
        }

        var start = _length;
        Append("{\"log\":\""u8);
        Escape(line);
        Append(kind == OutputKind.Stdout ? "\",\"stream\":\"stdout\",\"time\":\""u8 : "\",\"stream\":\"stderr\",\"time\":\""u8);
        Append(_time.Text);
        Append("\"}\n"u8);
        if (_file.IsFullWith(start, _length - start))
        {
            // This record begins the next file.
            var record = _length - start;
            _file.Write(new ReadOnlySpan<byte>(_buffer, start));
            Buffer.MemoryCopy(_buffer + start, _buffer, BufferSize, record);
            _length = record;
            _file.Rotate();
        }
    }

    private void Escape(ReadOnlySpan<byte> text)
    {
        while (text.Length > 0)
        {
            var plain = text.IndexOfAny(NeedsCare);
            if (plain < 0)
            {
                Append(text);
                return;
            }

            Append(text[..plain]);
            text = text[plain..];
            text = text[(text[0] < 0x80 ? EscapeAscii(text[0]) : EscapeRune(text))..];
        }
    }

    private int EscapeAscii(byte value)
    {
        switch (value)
        {
            case (byte)'\n':
                Append("\\n"u8);
                break;
            case (byte)'\r':
                Append("\\r"u8);
                break;
            case (byte)'\t':
                Append("\\t"u8);
                break;
            case (byte)'"':
                Append("\\\""u8);
                break;
            case (byte)'\\':
                Append("\\\\"u8);
                break;
            default:
                Append("\\u00"u8);
                _buffer[_length++] = "0123456789abcdef"u8[value >> 4];
                _buffer[_length++] = "0123456789abcdef"u8[value & 15];
                break;
        }

        return 1;
    }

    // JSON is UTF-8; bytes that are not become the replacement character, as Docker has it.
    private int EscapeRune(ReadOnlySpan<byte> text)
    {
        if (Rune.DecodeFromUtf8(text, out _, out var consumed) == OperationStatus.Done)
        {
            Append(text[..consumed]);
            return consumed;
        }

        Append("\\ufffd"u8);
        return Math.Max(consumed, 1);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        // SAFETY: WriteRecord has made sure of room for the whole record in its longest form.
        bytes.CopyTo(new Span<byte>(_buffer + _length, BufferSize - _length));
        _length += bytes.Length;
    }

    private void Flush()
    {
        _file.Write(new ReadOnlySpan<byte>(_buffer, _length));
        _length = 0;
    }

    /// <summary>A line whose end has not come yet. Takes memory only while there is one.</summary>
    private sealed class PartialLine
    {
        private byte[] _bytes = [];
        private int _length;

        public bool IsEmpty => _length == 0;

        public int Room => LongestLine - _length;

        public void Add(ReadOnlySpan<byte> piece)
        {
            if (_bytes.Length - _length < piece.Length)
            {
                Array.Resize(ref _bytes, Math.Min(LongestLine, Math.Max(256, (_length + piece.Length) * 2)));
            }

            piece.CopyTo(_bytes.AsSpan(_length));
            _length += piece.Length;
        }

        public ReadOnlySpan<byte> Take()
        {
            var taken = _bytes.AsSpan(0, _length);
            _length = 0;
            return taken;
        }
    }
}
