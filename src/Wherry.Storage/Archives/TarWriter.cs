using System.Buffers;
using System.Text;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Archives;

/// <summary>
/// Writes a tar archive: plain ustar where the values fit, a PAX header before the member where they don't.
/// The same members give the same bytes: no clock, no names of users, no process id goes in.
/// </summary>
/// <remarks>Not thread-safe. Does not own the target. A member's data must follow its header in full.</remarks>
public sealed class TarWriter(Stream target)
{
    private const int MaxOctal7 = 0x1FFFFF; // seven octal digits
    private const long MaxOctal11 = 0x1FFFFFFFF; // eleven: 8 GiB
    private static readonly byte[] Zeros = new byte[64 * 1024];
    private long _remaining;
    private int _padding;

    /// <summary>Writes the header. Of a file the data must follow, <see cref="TarEntry.Size"/> bytes or those of its sparse map.</summary>
    public void WriteHeader(TarEntry entry)
    {
        if (_remaining != 0)
            throw new InvalidOperationException("the last member's data is not complete");
        var name = entry.Kind == TarKind.Directory && entry.Name[^1] != '/' ? [.. entry.Name, (byte)'/'] : entry.Name;
        var map = entry.Sparse is null ? [] : FormatSparseMap(entry.Sparse);
        var stored = entry.Kind != TarKind.File ? 0
            : entry.Sparse is null ? entry.Size
            : map.Length + entry.Sparse.Sum(segment => segment.Length);

        Span<byte> block = stackalloc byte[TarHeader.BlockSize];
        var pax = new ArrayBufferWriter<byte>();
        Fill(block, entry, name, stored, pax);
        if (pax.WrittenCount > 0)
            WriteExtendedHeader(pax.WrittenSpan);
        target.Write(block);
        target.Write(map);
        _remaining = stored - map.Length;
        _padding = (int)(-stored & (TarHeader.BlockSize - 1));
        Pad();
    }

    public void WriteData(ReadOnlySpan<byte> data)
    {
        if (data.Length > _remaining)
            throw new InvalidOperationException("more data than the member's header says");
        target.Write(data);
        _remaining -= data.Length;
        Pad();
    }

    /// <summary>Zeros for the rest of the member: of a file that shrank while it was read.</summary>
    public void FillRest()
    {
        while (_remaining > 0)
            WriteData(Zeros.AsSpan(0, (int)Math.Min(_remaining, Zeros.Length)));
    }

    /// <summary>Writes the end mark.</summary>
    public void Finish() => target.Write(Zeros, 0, 2 * TarHeader.BlockSize);

    private void Pad()
    {
        if (_remaining != 0)
            return;
        target.Write(Zeros, 0, _padding);
        _padding = 0;
    }

    private void WriteExtendedHeader(ReadOnlySpan<byte> records)
    {
        Span<byte> block = stackalloc byte[TarHeader.BlockSize];
        Fill(block, new TarEntry { Kind = TarKind.File, Name = "PaxHeaders.0"u8.ToArray(), Mode = 0x1A4 }, "PaxHeaders.0"u8, records.Length, null);
        block[TarHeader.Type] = (byte)'x';
        Sum(block);
        target.Write(block);
        target.Write(records);
        target.Write(Zeros, 0, (int)(-(long)records.Length & (TarHeader.BlockSize - 1)));
    }

    private static void Fill(Span<byte> block, TarEntry entry, ReadOnlySpan<byte> name, long stored, ArrayBufferWriter<byte>? pax)
    {
        block.Clear();
        "ustar\u000000"u8.CopyTo(block[TarHeader.MagicAndVersion]);
        block[TarHeader.Type] = entry.Kind switch
        {
            TarKind.File => (byte)'0',
            TarKind.HardLink => (byte)'1',
            TarKind.Symlink => (byte)'2',
            TarKind.CharacterDevice => (byte)'3',
            TarKind.BlockDevice => (byte)'4',
            TarKind.Directory => (byte)'5',
            _ => (byte)'6',
        };
        if (entry.Sparse is not null)
        {
            Record(pax!, "GNU.sparse.major", "1"u8);
            Record(pax!, "GNU.sparse.minor", "0"u8);
            Record(pax!, "GNU.sparse.name", name);
            Record(pax!, "GNU.sparse.realsize", entry.Size);
            name = "GNUSparseFile.0/file"u8; // where a reader that knows no sparse files puts the raw data
        }
        FillName(block, name, pax);
        if (entry.LinkName.Length <= 100)
            entry.LinkName.CopyTo(block[TarHeader.LinkName]);
        else
            Record(pax!, "linkpath", entry.LinkName);
        Octal(block[TarHeader.Mode], entry.Mode);
        Number(block[TarHeader.Uid], entry.Uid, MaxOctal7, "uid", pax);
        Number(block[TarHeader.Gid], entry.Gid, MaxOctal7, "gid", pax);
        Number(block[TarHeader.Size], stored, MaxOctal11, "size", pax);
        FillTime(block, entry.Modified, pax);
        if (entry.Kind is TarKind.CharacterDevice or TarKind.BlockDevice)
        {
            Number(block[TarHeader.DeviceMajor], entry.DeviceMajor, MaxOctal7, "SCHILY.devmajor", pax);
            Number(block[TarHeader.DeviceMinor], entry.DeviceMinor, MaxOctal7, "SCHILY.devminor", pax);
        }
        foreach (var (attribute, value) in entry.Attributes)
            Record(pax!, PaxRecords.AttributePrefix + attribute, value);
        Sum(block);
    }

    private static void FillName(Span<byte> block, ReadOnlySpan<byte> name, ArrayBufferWriter<byte>? pax)
    {
        if (name.Length <= 100)
        {
            name.CopyTo(block[TarHeader.Name]);
            return;
        }
        // A slash that leaves at most 155 bytes before and 100 after it splits the name; the last byte may be a slash itself.
        var split = name[..Math.Min(name.Length - 1, 156)].LastIndexOf((byte)'/');
        if (split > 0 && name.Length - split - 1 <= 100)
        {
            name[..split].CopyTo(block[TarHeader.Prefix]);
            name[(split + 1)..].CopyTo(block[TarHeader.Name]);
            return;
        }
        Record(pax!, "path", name);
        name[^100..].CopyTo(block[TarHeader.Name]);
    }

    private static void FillTime(Span<byte> block, FileTime time, ArrayBufferWriter<byte>? pax)
    {
        if (time.Nanoseconds == 0 && time.Seconds is >= 0 and <= MaxOctal11)
        {
            Octal(block[TarHeader.Modified], time.Seconds);
            return;
        }
        // Seconds and nanoseconds both count forward; the decimal fraction counts away from zero.
        var (whole, fraction) = time.Seconds < 0 && time.Nanoseconds > 0
            ? (time.Seconds + 1, 1_000_000_000 - time.Nanoseconds)
            : (time.Seconds, time.Nanoseconds);
        var sign = time.Seconds < 0 ? "-" : "";
        var text = $"{sign}{Int128.Abs(whole)}";
        if (fraction != 0)
            text += "." + fraction.ToString("D9").TrimEnd('0');
        Record(pax!, "mtime", Encoding.ASCII.GetBytes(text));
        Octal(block[TarHeader.Modified], Math.Clamp(time.Seconds, 0, MaxOctal11));
    }

    private static void Number(Span<byte> field, long value, long largest, string key, ArrayBufferWriter<byte>? pax)
    {
        Octal(field, value <= largest ? value : 0);
        if (value > largest)
            Record(pax!, key, value);
    }

    private static void Octal(Span<byte> field, long value)
    {
        for (var i = field.Length - 2; i >= 0; i--, value >>= 3)
            field[i] = (byte)('0' + (value & 7));
    }

    private static void Sum(Span<byte> block)
    {
        var checksum = block[TarHeader.Checksum];
        checksum.Fill((byte)' ');
        var sum = 0;
        foreach (var value in block)
            sum += value;
        Octal(checksum[..7], sum);
    }

    private static void Record(ArrayBufferWriter<byte> records, string key, long value) =>
        Record(records, key, Encoding.ASCII.GetBytes(value.ToString()));

    private static void Record(ArrayBufferWriter<byte> records, string key, ReadOnlySpan<byte> value)
    {
        var keyBytes = Encoding.UTF8.GetBytes(key);
        var content = keyBytes.Length + value.Length + 3; // space, '=' and newline
        var length = content + content.ToString().Length;
        if (length.ToString().Length > content.ToString().Length)
            length++;
        records.Write(Encoding.ASCII.GetBytes($"{length} "));
        records.Write(keyBytes);
        records.Write("="u8);
        records.Write(value);
        records.Write("\n"u8);
    }

    private static byte[] FormatSparseMap(IReadOnlyList<SparseSegment> segments)
    {
        var text = new StringBuilder().Append(segments.Count).Append('\n');
        foreach (var (offset, length) in segments)
            text.Append(offset).Append('\n').Append(length).Append('\n');
        var padded = (text.Length + TarHeader.BlockSize - 1) / TarHeader.BlockSize * TarHeader.BlockSize;
        var map = new byte[padded];
        Encoding.ASCII.GetBytes(text.ToString(), map);
        return map;
    }
}
