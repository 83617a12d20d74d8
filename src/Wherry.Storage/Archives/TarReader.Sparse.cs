namespace Wherry.Storage.Archives;

/// <summary>GNU's sparse files: the old header, PAX 0.0 and 0.1, and PAX 1.0 with its map before the data.</summary>
public sealed partial class TarReader
{
    /// <summary>The member's map, or null when it is a plain file; <paramref name="size"/> becomes the unpacked size.</summary>
    private List<SparseSegment>? ReadSparseMap(byte[] block, PaxRecords? pax, long at, ref long size)
    {
        List<SparseSegment> map;
        if (block[TarHeader.Type] == 'S')
        {
            size = Required(TarHeader.TryParseNumber(block.AsSpan(TarHeader.GnuRealSize)), at, "real size");
            map = ReadOldGnuMap(block, at);
        }
        else if (pax is { IsSparse1: true })
        {
            size = pax.SparseRealSize ?? throw Damaged(at, "GNU.sparse.realsize");
            map = ReadMap1(at);
        }
        else if (pax is { SparseSegments: not null } or { SparseRealSize: not null })
        {
            size = pax.SparseRealSize ?? throw Damaged(at, "GNU.sparse.size");
            map = pax.SparseSegments ?? [];
        }
        else
        {
            return null;
        }
        Validate(map, size, at);
        return map;
    }

    private List<SparseSegment> ReadOldGnuMap(byte[] block, long at)
    {
        var map = new List<SparseSegment>();
        var more = AddPairs(map, block.AsSpan(TarHeader.GnuSparsePairs), at) && block[TarHeader.GnuSparseMore] != 0;
        while (more)
        {
            // These blocks lie between the header and the data, outside the size.
            var extension = ReadBlock();
            if (extension.IsEmpty)
                throw Truncated();
            more = AddPairs(map, extension[TarHeader.GnuExtensionPairs], at) && extension[TarHeader.GnuExtensionMore] != 0;
        }
        return map;
    }

    private static bool AddPairs(List<SparseSegment> map, ReadOnlySpan<byte> pairs, long at)
    {
        for (; !pairs.IsEmpty; pairs = pairs[TarHeader.GnuPairSize..])
        {
            if (pairs[0] == 0)
                return false;
            if (map.Count >= MaxSparseSegments)
                throw TooManySegments(at);
            map.Add(new SparseSegment(
                Required(TarHeader.TryParseNumber(pairs[..12]), at, "sparse offset"),
                Required(TarHeader.TryParseNumber(pairs[12..24]), at, "sparse length")));
        }
        return true;
    }

    /// <summary>Format 1.0: decimal lines (count, then offset and length of each), padded to a block, at the data's start.</summary>
    private List<SparseSegment> ReadMap1(long at)
    {
        var read = 0L;
        var count = ReadLine(at, ref read);
        if (count > MaxSparseSegments)
            throw TooManySegments(at);
        var map = new List<SparseSegment>();
        for (var i = 0L; i < count; i++)
            map.Add(new SparseSegment(ReadLine(at, ref read), ReadLine(at, ref read)));
        var padding = Padding(read);
        if (padding > _remaining)
            throw Damaged(at, "sparse map");
        Skip(padding);
        _remaining -= padding;
        return map;
    }

    private long ReadLine(long at, ref long read)
    {
        long value = 0;
        for (var digits = 0; ; digits++)
        {
            if (_remaining == 0)
                throw Damaged(at, "sparse map");
            if (_start == _filled && !Fill())
                throw Truncated();
            var next = _buffer[_start++];
            _position++;
            _remaining--;
            read++;
            if (next == '\n' && digits > 0)
                return value;
            if (next is < (byte)'0' or > (byte)'9' || digits > 18 || value > (long.MaxValue - 9) / 10)
                throw Damaged(at, "sparse map");
            value = (value * 10) + (next - '0');
        }
    }

    private void Validate(List<SparseSegment> map, long size, long at)
    {
        long end = 0, total = 0;
        foreach (var (offset, length) in map)
        {
            // Ordered, not overlapping, inside the file: then no sum overflows either.
            if (offset < end || length > size - offset)
                throw Damaged(at, "sparse map");
            end = offset + length;
            total += length;
        }
        if (total != _remaining)
            throw new TarFormatException($"member at byte {at}: its sparse map covers {total} bytes, the archive holds {_remaining}");
    }

    private static TarFormatException TooManySegments(long at) =>
        new($"member at byte {at}: its sparse map has more than {MaxSparseSegments} entries");
}
