using System.Buffers.Text;
using System.Text;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Archives;

/// <summary>The records of a PAX extended header (pax(1), "pax Extended Header") that the engine understands.</summary>
internal sealed class PaxRecords
{
    internal const string AttributePrefix = "SCHILY.xattr.";

    internal byte[]? Path { get; private set; }

    internal byte[]? LinkPath { get; private set; }

    internal long? Size { get; private set; }

    internal long? Uid { get; private set; }

    internal long? Gid { get; private set; }

    internal FileTime? Modified { get; private set; }

    internal long? DeviceMajor { get; private set; }

    internal long? DeviceMinor { get; private set; }

    internal SortedDictionary<string, byte[]> Attributes { get; } = new(StringComparer.Ordinal);

    internal string? SparseMajor { get; private set; }

    internal string? SparseMinor { get; private set; }

    internal byte[]? SparseName { get; private set; }

    internal long? SparseRealSize { get; private set; }

    /// <summary>Segments of GNU sparse formats 0.0 and 0.1.</summary>
    internal List<SparseSegment>? SparseSegments { get; private set; }

    internal bool IsSparse1 => SparseMajor == "1" && SparseMinor == "0";

    private long? _pendingOffset;

    /// <summary>Takes the records of an 'x' or 'g' header's data. An empty value takes a record back.</summary>
    internal void Add(ReadOnlySpan<byte> data, string where)
    {
        while (!data.IsEmpty)
        {
            // "LENGTH KEY=VALUE\n", where LENGTH counts the whole record with itself.
            if (!Utf8Parser.TryParse(data, out int length, out var digits) || length <= digits + 2 || length > data.Length
                || data[digits] != ' ' || data[length - 1] != '\n')
                throw new TarFormatException($"{where}: damaged extended header");
            var record = data[(digits + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals <= 0)
                throw new TarFormatException($"{where}: damaged extended header");
            Set(Encoding.UTF8.GetString(record[..equals]), record[(equals + 1)..], where);
            data = data[length..];
        }
    }

    private void Set(string key, ReadOnlySpan<byte> value, string where)
    {
        switch (key)
        {
            case "path":
                Path = Name(value, where);
                break;
            case "linkpath":
                LinkPath = Name(value, where);
                break;
            case "size":
                Size = Number(value, where, key);
                break;
            case "uid":
                Uid = Number(value, where, key);
                break;
            case "gid":
                Gid = Number(value, where, key);
                break;
            case "mtime":
                Modified = Time(value, where);
                break;
            case "SCHILY.devmajor":
                DeviceMajor = Number(value, where, key);
                break;
            case "SCHILY.devminor":
                DeviceMinor = Number(value, where, key);
                break;
            case "GNU.sparse.major":
                SparseMajor = Encoding.ASCII.GetString(value);
                break;
            case "GNU.sparse.minor":
                SparseMinor = Encoding.ASCII.GetString(value);
                break;
            case "GNU.sparse.name":
                SparseName = Name(value, where);
                break;
            case "GNU.sparse.size":
            case "GNU.sparse.realsize":
                SparseRealSize = Number(value, where, key);
                break;
            case "GNU.sparse.offset":
                _pendingOffset = Number(value, where, key);
                break;
            case "GNU.sparse.numbytes":
                AddSegment(_pendingOffset ?? throw new TarFormatException($"{where}: damaged sparse map"), Number(value, where, key), where);
                _pendingOffset = null;
                break;
            case "GNU.sparse.map":
                AddMap(value, where);
                break;
            default:
                if (key.StartsWith(AttributePrefix, StringComparison.Ordinal) && key.Length > AttributePrefix.Length)
                    Attributes[key[AttributePrefix.Length..]] = value.ToArray();
                break;
        }
    }

    private void AddMap(ReadOnlySpan<byte> value, string where)
    {
        var numbers = new List<long>();
        foreach (var part in value.Split((byte)','))
        {
            if (!value[part].IsEmpty)
                numbers.Add(Number(value[part], where, "GNU.sparse.map"));
        }
        if (numbers.Count % 2 != 0)
            throw new TarFormatException($"{where}: damaged sparse map");
        SparseSegments ??= [];
        for (var i = 0; i < numbers.Count; i += 2)
            AddSegment(numbers[i], numbers[i + 1], where);
    }

    private void AddSegment(long offset, long length, string where)
    {
        SparseSegments ??= [];
        if (SparseSegments.Count >= TarReader.MaxSparseSegments)
            throw new TarFormatException($"{where}: its sparse map has more than {TarReader.MaxSparseSegments} entries");
        SparseSegments.Add(new SparseSegment(offset, length));
    }

    private static byte[]? Name(ReadOnlySpan<byte> value, string where)
    {
        if (value.Contains((byte)0))
            throw new TarFormatException($"{where}: a name holds a NUL byte");
        return value.IsEmpty ? null : value.ToArray();
    }

    private static long Number(ReadOnlySpan<byte> value, string where, string key) =>
        Utf8Parser.TryParse(value, out long number, out var used) && used == value.Length && number >= 0
            ? number
            : throw new TarFormatException($"{where}: {key} is not a number in range");

    /// <summary>Decimal seconds with any number of digits after the point; what is finer than a nanosecond is dropped.</summary>
    private static FileTime Time(ReadOnlySpan<byte> value, string where)
    {
        var negative = !value.IsEmpty && value[0] == '-';
        var point = value.IndexOf((byte)'.');
        var whole = point < 0 ? value : value[..point];
        if (!Utf8Parser.TryParse(whole, out long seconds, out var used) || used != whole.Length)
            throw new TarFormatException($"{where}: mtime is not a number");
        uint nanoseconds = 0;
        var fraction = point < 0 ? [] : value[(point + 1)..];
        for (var i = 0; i < 9; i++)
        {
            var digit = i < fraction.Length ? (uint)(fraction[i] - (byte)'0') : 0;
            if (digit > 9)
                throw new TarFormatException($"{where}: mtime is not a number");
            nanoseconds = (nanoseconds * 10) + digit;
        }
        return negative && nanoseconds > 0
            ? new FileTime(seconds - 1, 1_000_000_000 - nanoseconds)
            : new FileTime(seconds, nanoseconds);
    }
}
