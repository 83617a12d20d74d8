using System.Buffers;
using Wherry.Storage.Archives;
using Wherry.Storage.Pipelines;

namespace Wherry.Storage.Compression;

/// <summary>Decompresses zstd frames, one after another. The library's default bounds the window to 128 MiB.</summary>
internal sealed unsafe class ZstdReadStream(Stream source) : SequentialStream
{
    private readonly byte[] _input = ArrayPool<byte>.Shared.Rent(128 * 1024);
    private nint _context = ZstdLibrary.Call(ZstdLibrary.ZSTD_createDCtx);
    private int _start;
    private int _filled;
    private bool _inFrame;
    private bool _ended;

    public override bool CanRead => true;

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_context == 0, this);
        while (!buffer.IsEmpty)
        {
            if (_start == _filled && !_ended)
            {
                _start = 0;
                _filled = source.Read(_input);
                _ended = _filled == 0;
            }
            if (_ended && !_inFrame)
                return 0;
            var produced = Decode(buffer);
            if (produced > 0)
                return produced;
            if (_ended)
                throw new TarFormatException("zstd data is truncated");
        }
        return 0;
    }

    private int Decode(Span<byte> buffer)
    {
        // SAFETY: both buffers are pinned for the call; the library stays within their sizes.
        fixed (byte* to = buffer)
        fixed (byte* from = _input)
        {
            var output = new ZstdLibrary.Buffer { Data = to, Size = (nuint)buffer.Length };
            var input = new ZstdLibrary.Buffer { Data = from, Size = (nuint)_filled, Position = (nuint)_start };
            var more = ZstdLibrary.Check(ZstdLibrary.ZSTD_decompressStream(_context, &output, &input), "zstd data is damaged");
            _start = (int)input.Position;
            _inFrame = more != 0;
            return (int)output.Position;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _context != 0)
        {
            ZstdLibrary.ZSTD_freeDCtx(_context);
            _context = 0;
            ArrayPool<byte>.Shared.Return(_input);
        }
        base.Dispose(disposing);
    }
}
