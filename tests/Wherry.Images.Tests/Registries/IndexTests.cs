using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Distribution;
using Wherry.Images.Distribution.Indexes;
using Wherry.Images.Distribution.Pulls;
using Wherry.Oci.Images;

namespace Wherry.Images.Tests.Registries;

/// <summary>One name for images of several platforms.</summary>
public sealed class IndexTests : IAsyncLifetime
{
    private static readonly RegistryOptions Quick = new() { RetryDelay = TimeSpan.FromMilliseconds(1), CertificateDirectories = [] };

    private readonly StoreFixture _store = new();
    private readonly TestRegistry _registry = new();
    private readonly TestRegistry _other = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Repository => $"{_registry.Host}/team/app";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        Assert.Empty(_store.Files("content/ingest"));
        await _registry.DisposeAsync();
        await _other.DisposeAsync();
        _store.Dispose();
    }

    [Fact]
    public async Task Images_of_two_platforms_become_one_name_that_each_platform_pulls()
    {
        var amd = Add(_registry, "team/app", "amd64", "amd64");
        var arm = Add(_registry, "team/app", "arm64", "arm64");

        var pushed = await PushAsync($"{Repository}:v1", $"{Repository}:amd64", $"{Repository}:arm64");

        Assert.Equal("v1", pushed.Tag);
        Assert.Equal([(amd, "linux/amd64"), (arm, "linux/arm64")], Stored("v1").Manifests.Select(entry => (entry.Digest, entry.Platform!.ToString())));
        Assert.DoesNotContain(_registry.Requests, request => request.Method == "POST"); // all content was there
        await new RegistryClient(_store.Images, Quick).PullAsync(new PullRequest { Reference = $"{Repository}:v1", Platform = Platform.TryParse("linux/arm64") }, null, Cancel);
        Assert.Equal("arm64", _store.Images.Resolve($"{Repository}:v1").Config.Architecture);
    }

    [Fact]
    public async Task Content_of_a_neighbouring_repository_is_mounted_and_that_of_another_registry_is_brought()
    {
        // This registry keeps all blobs together; say that nothing is there until it was mounted or sent.
        _registry.Fault = static request => request.Method == "HEAD" ? Answer.Error(404, "BLOB_UNKNOWN", "unknown") : null;
        Add(_registry, "team/base", "amd64", "amd64");
        var far = Add(_other, "far/app", "v1", "arm64");

        await PushAsync($"{Repository}:v1", $"{_registry.Host}/team/base:amd64", $"{_other.Host}/far/app:v1");

        Assert.Contains(_registry.Of("POST", "mount=sha256"), request => request.Query.Contains("from=team%2Fbase", StringComparison.Ordinal));
        Assert.True(_registry.Manifests.ContainsKey($"team/app@{far}"));
        Assert.All(_other.Blobs.Keys, digest => Assert.True(_registry.Blobs.ContainsKey(digest)));
    }

    [Fact]
    public async Task An_index_gives_all_its_images_with_what_it_says_of_them()
    {
        Add(_registry, "team/app", "amd64", "amd64");
        var arm = Add(_registry, "team/app", null, "arm64");
        _registry.AddManifest("team/app", "old", MediaTypes.OciIndex, $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciIndex}}}","manifests":[{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{arm}}}","size":{{{_registry.Manifests[$"team/app@{arm}"].Bytes.Length}}},"platform":{"os":"linux","architecture":"arm64","variant":"v8"},"annotations":{"a":"b"}}]}""");

        await PushAsync($"{Repository}:new", $"{Repository}:old", $"{Repository}:amd64");

        var entries = Stored("new").Manifests;
        Assert.Equal(["linux/arm64/v8", "linux/amd64"], entries.Select(entry => entry.Platform!.ToString()));
        Assert.Equal("b", entries[0].Annotations!["a"]);
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused_and_nothing_is_stored()
    {
        Add(_registry, "team/app", "one", "amd64");
        SampleImage.Add(_registry, "team/app", "two", [SampleImage.Layer("b", 500)]);

        Assert.Contains("are both for linux/amd64", (await RefusedAsync($"{Repository}:v1", $"{Repository}:one", $"{Repository}:two")).Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.NotFound, (await RefusedAsync($"{Repository}:v1", $"{Repository}:one", $"{Repository}:none")).Kind);
        Assert.Contains("cannot be made under a digest", (await RefusedAsync($"{Repository}@sha256:{new string('0', 64)}", $"{Repository}:one")).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_registry.Requests, request => request.Method is "PUT" or "POST");
    }

    private ImageIndex Stored(string tag) => JsonSerializer.Deserialize(_registry.Manifests[$"team/app:{tag}"].Bytes, ImageJson.Default.ImageIndex)!;

    private static string Add(TestRegistry registry, string repository, string? tag, string architecture) =>
        SampleImage.Add(registry, repository, tag, [SampleImage.Layer("a", 100_000, seed: architecture.Length + repository.Length)], architecture);

    private Task<Distribution.Pushes.PushedImage> PushAsync(string name, params string[] sources) =>
        new RegistryClient(_store.Images, Quick).PushIndexAsync(new IndexRequest { Reference = name, Sources = sources }, Cancel);

    private Task<WherryException> RefusedAsync(string name, params string[] sources) => Assert.ThrowsAnyAsync<WherryException>(() => PushAsync(name, sources));
}
