using Wherry.Registry.Names;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Proxy;

/// <summary>A client's view of a blob that is being fetched; it changes over to the stored file once there is one.</summary>
internal sealed class FetchedBlob(BlobFetch fetch, long length, LocalStore store, string repository, ContentDigest digest) : BlobContent
{
    private BlobContent? _stored;

    public override long Length => length;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancel)
    {
        if (offset >= length)
        {
            return 0;
        }

        if (_stored is null)
        {
            if (await fetch.ReadAsync(buffer, offset, length, cancel).ConfigureAwait(false) is var read and > 0)
            {
                return read;
            }

            _stored = await store.OpenBlobAsync(repository, digest, willPush: false, cancel).ConfigureAwait(false) ?? throw new IOException("the blob is gone again");
        }

        return await _stored.ReadAsync(buffer, offset, cancel).ConfigureAwait(false);
    }

    public override ValueTask DisposeAsync() => _stored?.DisposeAsync() ?? ValueTask.CompletedTask;
}
