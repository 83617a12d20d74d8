using System.Buffers;
using Wherry.Storage.Pipelines;

namespace Wherry.Storage.Archives;

/// <summary>
/// Reads a tar archive as a stream, member by member, in constant memory: POSIX ustar and PAX, GNU long names and
/// all GNU sparse forms. Data is handed out as spans of the read buffer, without a copy.
/// </summary>
/// <remarks>Not thread-safe. Does not own the source.</remarks>
public sealed partial class TarReader : IDisposable
{
    /// <summary>Longest path or link target: what the kernel takes.</summary>
    public const int MaxName = 4095;

    /// <summary>Most bytes of extended header before one member, as in Go's reader.</summary>
    public const int MaxExtendedHeader = 1 << 20;

    /// <summary>Most stretches of data in one sparse file.</summary>
    public const int MaxSparseSegments = 1 << 20;

    private const int BufferSize = 256 * 1024;
    private readonly Stream _source;
    private readonly TarEnd _end;
    private readonly byte[] _straddling = new byte[TarHeader.BlockSize];
    private byte[]? _own; // null while the source lends its buffers
    private byte[] _buffer = [];
    private int _start;
    private int _filled;
    private long _position;
    private bool _finished;

    // The current member's data still in the archive, and the padding after it.
    private long _remaining;
    private int _padding;
    private IReadOnlyList<SparseSegment>? _segments;
    private int _segment;
    private long _segmentDone;
    private long _dataOffset;

    public TarReader(Stream source, TarEnd end = TarEnd.Optional)
    {
        _source = source;
        _end = end;
    }

    /// <summary>Whether a file that begins so is a tar archive: a valid header, or the end mark that an empty one is.</summary>
    public static bool Recognizes(ReadOnlySpan<byte> start) =>
        start.Length >= TarHeader.BlockSize
        && (!start[..TarHeader.BlockSize].ContainsAnyExcept((byte)0) || TarHeader.HasValidChecksum(start[..TarHeader.BlockSize]));

    /// <summary>Bytes of the archive read so far.</summary>
    public long Position => _position;

    public void Dispose()
    {
        if (_own is not null)
            ArrayPool<byte>.Shared.Return(_own);
        _own = null;
        _buffer = [];
        _start = _filled = 0;
    }

    /// <summary>The next member, or null at the archive's end. What was not read of the last one is skipped.</summary>
    public TarEntry? Next()
    {
        if (_finished)
            return null;
        SkipData();
        var entry = ReadEntry();
        _finished = entry is null;
        return entry;
    }

    /// <summary>
    /// The next stretch of the current member's data: at most what the buffer holds. The span is valid until the
    /// next call on this reader.
    /// </summary>
    /// <param name="data">Never empty when true is returned.</param>
    /// <param name="offset">Its place in the unpacked file; places not handed out are holes.</param>
    public bool TryReadData(out ReadOnlySpan<byte> data, out long offset)
    {
        data = default;
        offset = 0;
        if (_segments is not null)
        {
            while (_segment < _segments.Count && _segmentDone == _segments[_segment].Length)
            {
                _segment++;
                _segmentDone = 0;
            }
            if (_segment == _segments.Count)
                return false;
        }
        if (_remaining == 0)
            return false;
        var limit = _segments is null ? _remaining : Math.Min(_remaining, _segments[_segment].Length - _segmentDone);
        if (_start == _filled && !Fill())
            throw Truncated();
        var length = (int)Math.Min(limit, _filled - _start);
        data = _buffer.AsSpan(_start, length);
        offset = _segments is null ? _dataOffset : _segments[_segment].Offset + _segmentDone;
        _start += length;
        _position += length;
        _remaining -= length;
        _segmentDone += length;
        _dataOffset += length;
        return true;
    }

    /// <summary>The current member's data in memory; an error when it is larger than <paramref name="limit"/> bytes.</summary>
    public byte[] ReadAll(int limit, string what)
    {
        if (_remaining > limit)
            throw new TarFormatException($"{what} is larger than {limit} bytes");
        var all = new byte[_remaining];
        var done = 0;
        while (TryReadData(out var data, out _))
        {
            data.CopyTo(all.AsSpan(done));
            done += data.Length;
        }
        return all;
    }

    /// <summary>Reads whatever follows the archive's end, so that whoever feeds the stream comes to its end too.</summary>
    public void Drain()
    {
        do
            _position += _filled - _start;
        while (Fill());
    }

    private void SkipData()
    {
        Skip(_remaining + _padding);
        _remaining = 0;
        _padding = 0;
        _segments = null;
    }

    private void Skip(long count)
    {
        while (count > 0)
        {
            if (_start == _filled && !Fill())
                throw Truncated();
            var step = (int)Math.Min(count, _filled - _start);
            _start += step;
            _position += step;
            count -= step;
        }
    }

    /// <summary>The next 512-byte block, or an empty span at the source's end. Valid until the next call.</summary>
    private ReadOnlySpan<byte> ReadBlock()
    {
        ReadOnlySpan<byte> block;
        if (_filled - _start >= TarHeader.BlockSize)
        {
            block = _buffer.AsSpan(_start, TarHeader.BlockSize);
            _start += TarHeader.BlockSize;
        }
        else
        {
            block = GatherBlock();
        }
        _position += block.Length;
        return block;
    }

    /// <summary>A block that is in two buffers or more, which are not ours to move bytes in.</summary>
    private ReadOnlySpan<byte> GatherBlock()
    {
        var have = 0;
        while (have < TarHeader.BlockSize)
        {
            if (_start == _filled && !Fill())
                return have == 0 ? [] : throw Truncated(have);
            var take = Math.Min(TarHeader.BlockSize - have, _filled - _start);
            _buffer.AsSpan(_start, take).CopyTo(_straddling.AsSpan(have));
            _start += take;
            have += take;
        }
        return _straddling;
    }

    private bool Fill()
    {
        if (_source is ILendingStream lending)
        {
            var lent = lending.TryLend(out var bytes);
            (_buffer, _start, _filled) = (bytes.Array ?? [], bytes.Offset, bytes.Offset + bytes.Count);
            return lent;
        }
        _buffer = _own ??= ArrayPool<byte>.Shared.Rent(BufferSize);
        _start = 0;
        _filled = _source.Read(_buffer, 0, BufferSize);
        return _filled > 0;
    }

    private TarFormatException Truncated(int begun = 0) => new($"archive is truncated: it ends after {_position + begun} bytes, in the middle of a member");
}

/// <summary>Whether an archive must end with its two blocks of zeros.</summary>
public enum TarEnd
{
    /// <summary>Some writers of layers leave the end mark out; a digest tells whether all is there.</summary>
    Optional,

    /// <summary>Nothing else would show that members are missing.</summary>
    Required,
}
