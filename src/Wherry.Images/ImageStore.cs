using Wherry.Storage.Layers;

namespace Wherry.Images;

/// <summary>The engine's images.</summary>
public sealed partial class ImageStore
{
    public static ImageStore Open(string dataRoot, LayerStore layers) => throw new NotSupportedException();

    public Image Resolve(string reference) => throw new NotSupportedException();

    public Image? TryResolve(string reference) => throw new NotSupportedException();

    public IReadOnlyList<Image> List() => throw new NotSupportedException();

    public Task<Image> ImportAsync(Stream tar, ImportRequest request, IProgress<ImageProgress>? progress, CancellationToken cancel) => throw new NotSupportedException();

    public Task<IReadOnlyList<LoadedImage>> LoadAsync(Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancel) => throw new NotSupportedException();

    public Task SaveAsync(IReadOnlyList<string> references, SaveFormat format, Stream output, CancellationToken cancel) => throw new NotSupportedException();

    public Task<Image> CommitAsync(CommitRequest request, CancellationToken cancel) => throw new NotSupportedException();

    public void Tag(string source, string target) => throw new NotSupportedException();

    public IReadOnlyList<ImageDeletion> Remove(string reference, bool force, bool noPrune, Func<Image, IReadOnlyList<ImageUser>> users) => throw new NotSupportedException();

    public IReadOnlyList<HistoryEntry> History(string reference) => throw new NotSupportedException();

    public Task<Image> BootstrapAsync(BootstrapRequest request, IProgress<ImageProgress>? progress, CancellationToken cancel) => throw new NotSupportedException();
}
