using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Changes;
using Wherry.Images.Content;
using Wherry.Images.References;
using Wherry.Oci.Images;
using Wherry.Storage.Archives;
using Wherry.Storage.Compression;
using Wherry.Storage.Layers;
using Wherry.Storage.Pipelines;

namespace Wherry.Images;

/// <summary>New images: from an archive, and from a container's changes.</summary>
public sealed partial class ImageStore
{
    // Digest of an archive without members: its layer adds nothing and is left out.
    private const string EmptyDiffId = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

    /// <summary>Makes an image of one layer from a root file system's archive, plain or compressed.</summary>
    public async Task<Image> ImportAsync(Stream tar, ImportRequest request, IProgress<ImageProgress>? progress, CancellationToken cancel)
    {
        var reference = ParseTarget(request.Reference);
        var parameters = DockerfileChanges.Apply(new ExecutionParameters(), request.Changes);
        var platform = request.Platform ?? Platform.Host;
        return await ThreadBridge.ReadAsync(
            tar,
            (source, stop) =>
            {
                using var writing = BeginWriting();
                using var arrival = _intake.Take(output => Copy(source, output, progress), TarEnd.Required, stop);
                var now = DateTimeOffset.UtcNow;
                var config = new ImageConfig
                {
                    Created = now,
                    Architecture = platform.Architecture,
                    Os = platform.Os,
                    OsVersion = platform.OsVersion,
                    Variant = platform.Variant,
                    Config = parameters,
                    Comment = request.Message,
                    History = [new History { Created = now, Comment = request.Message ?? "" }],
                };
                return PublishNew(config, parent: null, arrival, reference);
            },
            cancel);
    }

    /// <summary>Makes an image of a container's changes on top of the image it was made of.</summary>
    public Task<Image> CommitAsync(CommitRequest request, CancellationToken cancel)
    {
        var reference = ParseTarget(request.Reference);
        var parameters = DockerfileChanges.Apply(request.Config, request.Changes);
        var parent = request.ParentImageId is null ? null : _catalog.Images.GetValueOrDefault(request.ParentImageId);
        if (request.ParentImageId is not null && parent is null)
            throw WherryException.NotFound($"No such image: {request.ParentImageId}: the image this container was made of is gone");
        return ThreadBridge.OnThread(() =>
        {
            using var writing = BeginWriting();
            using var arrival = _intake.Take(output => _layers.WriteDiff(request.Snapshot, output, cancel), TarEnd.Required, cancel);
            var now = DateTimeOffset.UtcNow;
            var config = new ImageConfig
            {
                Created = now,
                Author = request.Author,
                Architecture = parent?.Config.Architecture ?? Platform.Host.Architecture,
                Os = parent?.Config.Os ?? Platform.Host.Os,
                OsVersion = parent?.Config.OsVersion,
                Variant = parent?.Config.Variant,
                Config = parameters,
                Container = request.ContainerId,
                ContainerConfig = request.Config,
                Comment = request.Comment,
                RootFs = parent?.Config.RootFs ?? new RootFs(),
                History =
                [
                    .. parent?.Config.History ?? [],
                    new History
                    {
                        Created = now,
                        CreatedBy = string.Join(' ', request.Config.Cmd ?? []),
                        Author = request.Author,
                        Comment = request.Comment,
                        EmptyLayer = arrival.DiffId == EmptyDiffId ? true : null,
                    },
                ],
            };
            return PublishNew(config, parent?.Id, arrival, reference);
        });
    }

    /// <summary>Publishes an image that has its parent's layers and one more.</summary>
    private Image PublishNew(ImageConfig config, string? parent, LayerArrival top, ImageReference? reference)
    {
        var below = parent is null ? null : _catalog.Images.GetValueOrDefault(parent) ?? throw WherryException.NotFound($"No such image: {parent}");
        var layers = below?.Manifest.Layers ?? [];
        var chain = below?.ChainId;
        // Held before anything else: the parent may be removed at any moment.
        if (chain is not null)
            _ = _layers.TryRetain(chain) ?? throw WherryException.NotFound($"No such image: {parent}");
        try
        {
            if (top.DiffId != EmptyDiffId || below is null)
            {
                var layer = _layers.Commit(top.Staged!, chain);
                if (chain is not null)
                    _layers.Release(chain);
                chain = layer.ChainId;
                layers = [.. layers, new Descriptor { MediaType = LayerMediaType(top.Compression), Digest = top.BlobDigest, Size = top.BlobSize }];
                config = config with { RootFs = config.RootFs with { DiffIds = [.. config.RootFs.DiffIds, top.DiffId] } };
            }
            var configBytes = JsonSerializer.SerializeToUtf8Bytes(config, ImageJson.Canonical.ImageConfig);
            return Publish(configBytes, ManifestFor(configBytes, layers), parent, reference is null ? [] : [reference]);
        }
        catch
        {
            if (chain is not null)
                _layers.Release(chain);
            throw;
        }
    }

    private static byte[] ManifestFor(byte[] config, IReadOnlyList<Descriptor> layers) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new Manifest
            {
                MediaType = MediaTypes.OciManifest,
                Config = new Descriptor { MediaType = MediaTypes.OciConfig, Digest = Digests.Of(config), Size = config.Length },
                Layers = layers,
            },
            ImageJson.Canonical.Manifest);

    private static string LayerMediaType(CompressionKind kind) => kind switch
    {
        CompressionKind.Gzip => MediaTypes.OciLayerGzip,
        CompressionKind.Zstd => MediaTypes.OciLayerZstd,
        _ => MediaTypes.OciLayer,
    };

    private static CompressionKind CompressionOf(string? mediaType) => mediaType switch
    {
        MediaTypes.OciLayerZstd => CompressionKind.Zstd,
        MediaTypes.OciLayer or null => CompressionKind.None,
        _ when mediaType.EndsWith("gzip", StringComparison.Ordinal) => CompressionKind.Gzip,
        _ => CompressionKind.None,
    };

    private static void Copy(Stream source, Stream target, IProgress<ImageProgress>? progress)
    {
        const int ReportEvery = 8 << 20;
        var buffer = new byte[256 * 1024];
        long total = 0, reported = 0;
        for (int read; (read = source.Read(buffer)) > 0;)
        {
            target.Write(buffer.AsSpan(0, read));
            total += read;
            if (total - reported < ReportEvery)
                continue;
            progress?.Report(new ImageProgress(null, "Importing", total));
            reported = total;
        }
    }
}
