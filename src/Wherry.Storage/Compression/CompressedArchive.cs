using System.IO.Compression;
using Wherry.Errors;
using Wherry.Storage.Archives;
using Wherry.Storage.Pipelines;

namespace Wherry.Storage.Compression;

/// <summary>How an archive is compressed.</summary>
public enum CompressionKind
{
    None,
    Gzip,
    Zstd,
}

/// <summary>Tells compressed archives from plain ones and opens both.</summary>
public static class CompressedArchive
{
    /// <summary>Bytes from the start that <see cref="Detect"/> looks at.</summary>
    public const int MagicLength = 6;

    public static CompressionKind Detect(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return CompressionKind.Gzip;
        if (start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]))
            return CompressionKind.Zstd;
        // A frame to be skipped, as zstd:chunked and pzstd may begin.
        if (start.Length >= 4 && start[0] is >= 0x50 and <= 0x5F && start[1..4].SequenceEqual((ReadOnlySpan<byte>)[0x2A, 0x4D, 0x18]))
            return CompressionKind.Zstd;
        if (start.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]))
            throw WherryException.Unsupported("xz-compressed archives are not supported: unpack it first (xz -dc)");
        if (start.Length >= 4 && start.StartsWith("BZh"u8) && start[3] is >= (byte)'1' and <= (byte)'9')
            throw WherryException.Unsupported("bzip2-compressed archives are not supported: unpack it first (bzip2 -dc)");
        return CompressionKind.None;
    }

    /// <summary>The plain bytes of <paramref name="source"/>, whatever way it is compressed. The caller keeps the source.</summary>
    public static Stream OpenRead(Stream source, out CompressionKind kind)
    {
        var start = new byte[MagicLength];
        var length = source.ReadAtLeast(start, MagicLength, throwOnEndOfStream: false);
        kind = Detect(start.AsSpan(0, length));
        var prefix = new ArraySegment<byte>(start, 0, length);
        var whole = source is ChunkReadStream chunks ? new LendingPrefixedStream(prefix, chunks) : new PrefixedStream(prefix, source);
        return kind switch
        {
            CompressionKind.Gzip => new GzipReadStream(whole),
            CompressionKind.Zstd => new ZstdReadStream(whole),
            _ => whole,
        };
    }

    /// <summary>A stream that compresses what is written; disposing it writes the end, and leaves the target open.</summary>
    public static Stream OpenWrite(Stream target, CompressionKind kind) => kind switch
    {
        CompressionKind.Gzip => new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true),
        CompressionKind.Zstd => new ZstdWriteStream(target),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private sealed class GzipReadStream(Stream source) : SequentialStream
    {
        private readonly GZipStream _gzip = new(source, CompressionMode.Decompress, leaveOpen: true);

        public override bool CanRead => true;

        public override int Read(Span<byte> buffer)
        {
            try
            {
                return _gzip.Read(buffer);
            }
            catch (InvalidDataException damaged)
            {
                throw new TarFormatException("gzip data is damaged or truncated", damaged);
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _gzip.Dispose();
            base.Dispose(disposing);
        }
    }

    /// <summary>Gives back what was looked at, and then the rest.</summary>
    private class PrefixedStream(ArraySegment<byte> prefix, Stream rest) : SequentialStream
    {
        protected ArraySegment<byte> Prefix { get; set; } = prefix;

        public override bool CanRead => true;

        public override int Read(Span<byte> buffer)
        {
            if (Prefix.Count == 0)
                return rest.Read(buffer);
            var length = Math.Min(buffer.Length, Prefix.Count);
            Prefix.AsSpan(0, length).CopyTo(buffer);
            Prefix = Prefix[length..];
            return length;
        }
    }

    private sealed class LendingPrefixedStream(ArraySegment<byte> prefix, ChunkReadStream rest) : PrefixedStream(prefix, rest), ILendingStream
    {
        public bool TryLend(out ArraySegment<byte> bytes)
        {
            if (Prefix.Count == 0)
                return rest.TryLend(out bytes);
            bytes = Prefix;
            Prefix = default;
            return true;
        }
    }
}
