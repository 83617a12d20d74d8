using System.Net;
using System.Net.Http.Headers;

namespace Wherry.Images.Distribution.Http;

/// <summary>A body from a stream or from memory, watched: it may take as long as it moves.</summary>
internal sealed class UploadContent : HttpContent
{
    private const int BufferSize = 256 * 1024;

    private readonly Func<Stream> _open;
    private readonly long _length;
    private readonly Action<long>? _progress;
    private CancellationTokenSource? _timeout;
    private RegistryOptions? _options;

    internal UploadContent(Func<Stream> open, long length, Action<long>? progress)
    {
        _open = open;
        _length = length;
        _progress = progress;
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    /// <summary>Has the request end when the body stops moving, or no answer comes after it.</summary>
    internal void Watch(CancellationTokenSource timeout, RegistryOptions options)
    {
        _timeout = timeout;
        _options = options;
        timeout.CancelAfter(options.StallTimeout);
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var source = _open();
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            long sent = 0;
            for (int read; sent < _length && (read = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, _length - sent)), cancellationToken)) > 0;)
            {
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                sent += read;
                _progress?.Invoke(sent);
                _timeout?.CancelAfter(_options!.StallTimeout);
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
        _timeout?.CancelAfter(_options!.AnswerTimeout);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }
}
