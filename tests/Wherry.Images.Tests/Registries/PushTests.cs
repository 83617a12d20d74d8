using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Distribution;
using Wherry.Images.Distribution.Pulls;
using Wherry.Images.Distribution.Pushes;
using Wherry.Oci.Images;

namespace Wherry.Images.Tests.Registries;

/// <summary>Pushes: what is sent, what need not be, and how it goes on after a failure.</summary>
public sealed class PushTests : IAsyncLifetime
{
    private static readonly RegistryOptions Quick = new() { RetryDelay = TimeSpan.FromMilliseconds(1), CertificateDirectories = [] };

    private readonly StoreFixture _store = new();
    private readonly TestRegistry _registry = new();
    private readonly Reports _reports = new();
    private readonly byte[] _layer = SampleImage.Layer("a/file", 20_000_000);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Name => $"{_registry.Host}/team/app:v1";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _registry.DisposeAsync();
        _store.Dispose();
    }

    [Fact]
    public async Task A_pushed_image_is_the_same_when_it_is_pulled_elsewhere()
    {
        var id = await ImportAsync(Name);

        var pushed = await PushAsync(Name);

        Assert.Equal("v1", pushed.Tag);
        Assert.Contains($"{_registry.Host}/team/app@{pushed.Digest}", _store.Images.Resolve(Name).RepoDigests);
        using var other = new StoreFixture();
        await new RegistryClient(other.Images, Quick).PullAsync(new PullRequest { Reference = Name }, null, Cancel);
        Assert.Equal(id, other.Images.Resolve(Name).Id);
        Assert.Equal("Pushed", _reports.Statuses.Last());
    }

    [Fact]
    public async Task Layers_compressed_on_the_way_are_the_same_bytes_each_time()
    {
        await ImportAsync(Name);
        var first = await PushAsync(Name);
        Assert.Equal(MediaTypes.OciLayerGzip, Manifest().Layers[0].MediaType);
        await using var elsewhere = new TestRegistry();
        _store.Images.Tag(Name, $"{elsewhere.Host}/team/app:v1");

        var second = await PushAsync($"{elsewhere.Host}/team/app:v1");

        Assert.Equal(first.Digest, second.Digest);
        Assert.Equal(Manifest().Layers[0].Digest, elsewhere.AddBlob(elsewhere.Blobs[Manifest().Layers[0].Digest]));
    }

    [Fact]
    public async Task Zstd_is_sent_when_asked_for()
    {
        await ImportAsync(Name);

        await PushAsync(Name, LayerCompression.Zstd);

        Assert.Equal(MediaTypes.OciLayerZstd, Manifest().Layers[0].MediaType);
        using var other = new StoreFixture();
        await new RegistryClient(other.Images, Quick).PullAsync(new PullRequest { Reference = Name }, null, Cancel);
        Assert.Equal(_store.Images.Resolve(Name).Id, other.Images.Resolve(Name).Id);
    }

    [Fact]
    public async Task What_is_there_is_not_sent_again()
    {
        await ImportAsync(Name);
        await PushAsync(Name);
        _registry.Requests.Clear();

        await PushAsync(Name);

        Assert.DoesNotContain(_registry.Requests, request => request.Method is "POST" or "PATCH");
        Assert.Contains("Layer already exists", _reports.Statuses);
    }

    [Fact]
    public async Task A_layer_of_a_neighbouring_repository_is_mounted()
    {
        SampleImage.Add(_registry, "team/base", "v1", [_layer]);
        await new RegistryClient(_store.Images, Quick).PullAsync(new PullRequest { Reference = $"{_registry.Host}/team/base:v1" }, null, Cancel);
        _store.Images.Tag($"{_registry.Host}/team/base:v1", Name);
        // This registry keeps all blobs together; say that the new repository has none of them.
        _registry.Fault = static request => request.Method == "HEAD" ? Answer.Error(404, "BLOB_UNKNOWN", "unknown") : null;

        await PushAsync(Name);

        Assert.Contains(_registry.Of("POST", "mount=sha256"), request => request.Query.Contains("from=team%2Fbase", StringComparison.Ordinal));
        Assert.Contains("Mounted from team/base", _reports.Statuses);
        Assert.DoesNotContain(_registry.Requests, request => request.Method == "PATCH");
    }

    [Theory]
    [InlineData("PATCH")]
    [InlineData("PUT")]
    public async Task An_upload_that_breaks_off_goes_on(string method)
    {
        await ImportAsync(Name);
        if (method == "PUT")
        {
            // A layer that is compressed already goes out whole.
            SampleImage.Add(_registry, "team/base", "v1", [_layer]);
            await new RegistryClient(_store.Images, Quick).PullAsync(new PullRequest { Reference = $"{_registry.Host}/team/base:v1" }, null, Cancel);
            _registry.Blobs.Clear();
            _store.Images.Tag($"{_registry.Host}/team/base:v1", Name);
        }
        var failures = 2;
        _registry.Fault = request => request.Method == method && request.Path.Contains("/uploads/", StringComparison.Ordinal) && failures-- > 0 ? Answer.Error(502, "UNKNOWN", "bad gateway") : null;

        await PushAsync(Name);

        Assert.All(Manifest().Layers, layer => Assert.Equal(layer.Size, _registry.Blobs[layer.Digest].Length));
    }

    [Fact]
    public async Task All_tags_of_a_repository_go_out()
    {
        await ImportAsync(Name);
        _store.Images.Tag(Name, $"{_registry.Host}/team/app:v2");
        var pushed = new List<PushedImage>();

        await new RegistryClient(_store.Images, Quick).PushAsync(new PushRequest { Reference = $"{_registry.Host}/team/app" }, null, pushed.Add, Cancel);

        Assert.Equal(["v1", "v2"], pushed.Select(image => image.Tag));
    }

    [Fact]
    public async Task A_refusal_is_told_with_its_reason()
    {
        await ImportAsync(Name);
        _registry.Fault = static request => request.Method == "POST" ? Answer.Error(403, "DENIED", "no write access") : null;

        var failure = await Assert.ThrowsAnyAsync<WherryException>(() => PushAsync(Name));

        Assert.Contains("no write access", failure.Message, StringComparison.Ordinal);
        Assert.Contains("team/app", failure.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.NotFound, (await Assert.ThrowsAnyAsync<WherryException>(() => PushAsync($"{_registry.Host}/team/none:v1"))).Kind);
    }

    private Manifest Manifest() => JsonSerializer.Deserialize(_registry.Manifests["team/app:v1"].Bytes, ImageJson.Default.Manifest)!;

    private async Task<string> ImportAsync(string name)
    {
        using var tar = new MemoryStream(_layer);
        return (await _store.Images.ImportAsync(tar, new ImportRequest { Reference = name }, null, Cancel)).Id;
    }

    private async Task<PushedImage> PushAsync(string name, LayerCompression? compression = null)
    {
        PushedImage? pushed = null;
        await new RegistryClient(_store.Images, Quick).PushAsync(new PushRequest { Reference = name, Compression = compression }, _reports, image => pushed = image, Cancel);
        return pushed!;
    }
}
