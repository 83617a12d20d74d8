using System.Buffers;
using Wherry.Storage.Pipelines;

namespace Wherry.Storage.Compression;

/// <summary>Compresses into one zstd frame at the library's default level; disposing ends the frame.</summary>
internal sealed unsafe class ZstdWriteStream(Stream target) : SequentialStream
{
    private const int Continue = 0; // ZSTD_e_continue
    private const int End = 2; // ZSTD_e_end
    private readonly byte[] _output = ArrayPool<byte>.Shared.Rent(128 * 1024);
    private nint _context = ZstdLibrary.Call(ZstdLibrary.ZSTD_createCCtx);

    public override bool CanWrite => true;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_context == 0, this);
        var done = 0;
        while (done < buffer.Length)
            Encode(buffer, ref done, Continue);
    }

    private nuint Encode(ReadOnlySpan<byte> buffer, ref int done, int directive)
    {
        nuint left;
        int produced;
        // SAFETY: both buffers are pinned for the call; the library stays within their sizes.
        fixed (byte* from = buffer)
        fixed (byte* to = _output)
        {
            var output = new ZstdLibrary.Buffer { Data = to, Size = (nuint)_output.Length };
            var input = new ZstdLibrary.Buffer { Data = from, Size = (nuint)buffer.Length, Position = (nuint)done };
            left = ZstdLibrary.Check(ZstdLibrary.ZSTD_compressStream2(_context, &output, &input, directive), "compress with zstd");
            done = (int)input.Position;
            produced = (int)output.Position;
        }
        target.Write(_output, 0, produced);
        return left;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _context != 0)
        {
            try
            {
                var done = 0;
                while (Encode([], ref done, End) != 0)
                {
                }
            }
            finally
            {
                ZstdLibrary.ZSTD_freeCCtx(_context);
                _context = 0;
                ArrayPool<byte>.Shared.Return(_output);
            }
        }
        base.Dispose(disposing);
    }
}
