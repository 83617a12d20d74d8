using System.Security.Cryptography;
using Wherry.Images.Content;
using Wherry.Images.Distribution.Http;
using Wherry.Images.References;
using Wherry.Oci.Images;
using Wherry.Storage.Compression;
using Wherry.Storage.Layers;
using Wherry.Storage.Pipelines;

namespace Wherry.Images.Distribution.Pushes;

/// <summary>Brings one layer to a repository by the cheapest way: it is there, it is next door, it is sent, it is compressed and sent.</summary>
internal sealed class LayerPush(ImageStore store, RepositoryClient repository, ImageReference target)
{
    /// <summary>A chunk of an upload whose end is not known yet; it is held in memory until the registry has it.</summary>
    private const int ChunkSize = 2 << 20;
    private const int LargestChunk = 64 << 20;

    /// <summary>How many neighbours are asked for a blob.</summary>
    private const int MostMounts = 3;

    /// <param name="layer">As the image's manifest names it.</param>
    /// <param name="compression">Null takes it as it is, but compressed.</param>
    /// <param name="id">What progress calls it.</param>
    /// <param name="progress">Told how it goes.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The layer as it is at the registry.</returns>
    internal async Task<Descriptor> RunAsync(Descriptor layer, LayerCompression? compression, string id, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        var has = KindOf(layer.MediaType);
        var wants = compression switch
        {
            LayerCompression.Zstd => CompressionKind.Zstd,
            LayerCompression.Gzip => CompressionKind.Gzip,
            _ => has == CompressionKind.None ? CompressionKind.Gzip : has,
        };
        if (has == wants)
        {
            if (!await IsThereAsync(layer.Digest, id, progress, cancel))
                await SendAsync(layer.Digest, layer.Size, id, progress, cancel);
            return layer;
        }
        var packing = store.Blobs.FindPacking(layer.Digest, wants);
        if (packing is null || !await IsThereAsync(packing.Digest, id, progress, cancel))
            packing = await PackAsync(layer, wants, id, progress, cancel);
        return new Descriptor { MediaType = TypeOf(layer.MediaType, wants), Digest = packing.Digest, Size = packing.Size, Annotations = layer.Annotations };
    }

    /// <summary>The configuration: small, and never in need of a packing.</summary>
    internal async Task SendConfigAsync(Descriptor config, CancellationToken cancel)
    {
        if (!await repository.HasBlobAsync(config.Digest, cancel))
            await SendAsync(config.Digest, store.Blobs.SizeOf(config.Digest), null, null, cancel);
    }

    private async Task<bool> IsThereAsync(string digest, string id, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        if (await repository.HasBlobAsync(digest, cancel))
        {
            progress?.Report(new ImageProgress(id, "Layer already exists"));
            return true;
        }
        foreach (var source in Neighbours(digest).Take(MostMounts))
        {
            if (await repository.TryMountAsync(digest, source, cancel))
            {
                progress?.Report(new ImageProgress(id, $"Mounted from {source}"));
                return true;
            }
        }
        return false;
    }

    /// <summary>Repositories of the same registry that an image with this blob came from or went to.</summary>
    private IEnumerable<string> Neighbours(string digest) =>
        store.AllStored
            .Where(image => image.Manifest.Layers.Any(layer => layer.Digest == digest
                || store.Blobs.FindPacking(layer.Digest, CompressionKind.Gzip)?.Digest == digest
                || store.Blobs.FindPacking(layer.Digest, CompressionKind.Zstd)?.Digest == digest))
            .SelectMany(image => image.References)
            .Where(name => name.Digest is not null && name.Domain == target.Domain && name.Path != target.Path)
            .Select(name => name.Path)
            .Distinct(StringComparer.Ordinal);

    private async Task SendAsync(string digest, long size, string? id, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        var upload = (await repository.StartUploadAsync(null, null, cancel))!;
        await repository.UploadWholeAsync(digest, size, Open, upload, sent => Report(id, sent, size, progress), cancel);
        if (id is not null)
            progress?.Report(new ImageProgress(id, "Pushed"));

        Stream Open(long offset)
        {
            var blob = store.Blobs.OpenRead(digest);
            blob.Position = offset;
            return blob;
        }
    }

    /// <summary>Compresses on one thread while what is ready goes out. The compressors give the same bytes each time.</summary>
    private async Task<Packing> PackAsync(Descriptor layer, CompressionKind kind, string id, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        var upload = (await repository.StartUploadAsync(null, null, cancel))!;
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using var sender = new ChunkSender(repository, upload, hash, cancel);
            await ThreadBridge.WriteAsync(
                (output, stop) =>
                {
                    using var blob = store.Blobs.OpenRead(layer.Digest);
                    var plain = CompressedArchive.OpenRead(blob, out var from);
                    using (from == CompressionKind.None ? null : plain)
                    using (var compressed = CompressedArchive.OpenWrite(output, kind))
                        Copy(plain, compressed, () => Report(id, blob.Position, layer.Size, progress), stop);
                },
                sender,
                cancel);
            await sender.CompleteAsync();
            var packing = new Packing(Digests.FromHash(hash.GetHashAndReset()), sender.Length);
            await repository.FinishUploadAsync(sender.Upload, packing.Digest, cancel);
            store.Blobs.RememberPacking(layer.Digest, kind, packing);
            progress?.Report(new ImageProgress(id, "Pushed"));
            return packing;
        }
        catch
        {
            await repository.AbandonAsync(upload);
            throw;
        }
    }

    private static void Copy(Stream source, Stream target, Action report, CancellationToken cancel)
    {
        var buffer = new byte[256 * 1024];
        for (int read; (read = source.Read(buffer)) > 0;)
        {
            cancel.ThrowIfCancellationRequested();
            target.Write(buffer.AsSpan(0, read));
            report();
        }
    }

    private static void Report(string? id, long done, long total, IProgress<ImageProgress>? progress)
    {
        if (id is not null)
            progress?.Report(new ImageProgress(id, "Pushing", done, total));
    }

    private static CompressionKind KindOf(string? mediaType) => mediaType switch
    {
        MediaTypes.OciLayerZstd or MediaTypes.DockerLayerZstd => CompressionKind.Zstd,
        MediaTypes.OciLayer or MediaTypes.DockerLayer => CompressionKind.None,
        _ => CompressionKind.Gzip,
    };

    private static string TypeOf(string? before, CompressionKind kind) => kind switch
    {
        CompressionKind.Zstd => MediaTypes.OciLayerZstd,
        _ when before is MediaTypes.DockerLayer or MediaTypes.DockerLayerZstd => MediaTypes.DockerLayerGzip,
        _ => MediaTypes.OciLayerGzip,
    };

    /// <summary>Collects what is written into chunks and sends each when it is full.</summary>
    private sealed class ChunkSender(RepositoryClient repository, Upload upload, IncrementalHash hash, CancellationToken cancel) : SequentialStream
    {
        private readonly byte[] _chunk = GC.AllocateUninitializedArray<byte>(Math.Clamp(upload.SmallestChunk, ChunkSize, LargestChunk));
        private int _filled;
        private long _sent;

        internal Upload Upload { get; private set; } = upload;

        public override bool CanWrite => true;

        public override long Length => _sent + _filled;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            hash.AppendData(buffer.Span);
            while (!buffer.IsEmpty)
            {
                var taken = Math.Min(buffer.Length, _chunk.Length - _filled);
                buffer[..taken].CopyTo(_chunk.AsMemory(_filled));
                _filled += taken;
                buffer = buffer[taken..];
                if (_filled == _chunk.Length)
                    await SendAsync();
            }
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        internal async Task CompleteAsync()
        {
            if (_filled > 0)
                await SendAsync();
        }

        private async Task SendAsync()
        {
            Upload = await repository.UploadChunkAsync(Upload, _sent, new ArraySegment<byte>(_chunk, 0, _filled), cancel);
            _sent += _filled;
            _filled = 0;
        }
    }
}
