using System.Text;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Distribution;
using Wherry.Images.Distribution.Artifacts;
using Wherry.Oci.Images;
using Wherry.Storage.Archives;
using Wherry.Storage.Layers;

namespace Wherry.Images.Tests.Registries;

/// <summary>Files that are no images: out to a registry and back, and as referrers of images.</summary>
public sealed class ArtifactTests : IAsyncLifetime
{
    private static readonly RegistryOptions Quick = new() { RetryDelay = TimeSpan.FromMilliseconds(1), CertificateDirectories = [] };

    private readonly StoreFixture _store = new();
    private readonly TestRegistry _registry = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private RegistryClient Client => new(_store.Images, Quick);

    private string Repository => $"{_registry.Host}/team/app";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        // Whatever happened, content that passed through has left no file here.
        Assert.Empty(_store.Files("content/ingest"));
        await _registry.DisposeAsync();
        _store.Dispose();
    }

    [Fact]
    public async Task What_is_pushed_comes_back_and_is_an_artifact_by_the_specification()
    {
        var request = new ArtifactPushRequest
        {
            Reference = $"{Repository}:sbom",
            ArtifactType = "application/spdx+json",
            FileTypes = new Dictionary<string, string> { ["sbom.json"] = "application/spdx+json" },
            Annotations = new Dictionary<string, string> { ["org.example.by"] = "a build" },
        };

        var pushed = await PushAsync(request, ("sbom.json", "{}\n"), ("notes.txt", new string('x', 300_000)));

        var manifest = Stored("team/app:sbom");
        Assert.Equal(pushed.Digest, Digests.Of(_registry.Manifests["team/app:sbom"].Bytes));
        Assert.Equal("application/spdx+json", manifest.ArtifactType);
        Assert.Equal((MediaTypes.OciEmpty, 2), (manifest.Config.MediaType, manifest.Config.Size));
        Assert.Equal(["application/spdx+json", "application/octet-stream"], manifest.Layers.Select(layer => layer.MediaType));
        Assert.Equal("a build", manifest.Annotations!["org.example.by"]);
        Assert.Equal([("sbom.json", 3L), ("notes.txt", 300_000L)], await PullAsync($"{Repository}:sbom"));
        Assert.Equal(pushed.Digest, (await PushAsync(request, ("sbom.json", "{}\n"), ("notes.txt", new string('x', 300_000)))).Digest);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_artifact_with_a_subject_is_listed_as_its_referrer(bool hasApi)
    {
        var image = SampleImage.Add(_registry, "team/app", "v1", [SampleImage.Layer("a", 1000)]);
        // A registry that has the API says so where a manifest with a subject is stored.
        _registry.Fault = request => !hasApi || request.Method != "PUT" || !request.Path.Contains("/manifests/", StringComparison.Ordinal)
            ? null
            : _registry.AnswerWell(request) is var answer ? answer with { Headers = [.. answer.Headers, ("OCI-Subject", image)] } : null;

        var pushed = await PushAsync(new ArtifactPushRequest { Reference = Repository, Subject = "v1", ArtifactType = "application/spdx+json" }, ("sbom.json", "1"));
        await PushAsync(new ArtifactPushRequest { Reference = Repository, Subject = image, ArtifactType = "text/plain" }, ("note", "2"));

        Assert.Equal($"{Repository}@{pushed.Digest}", pushed.Name);
        Assert.Equal(image, Stored($"team/app@{pushed.Digest}").Subject!.Digest);
        Assert.Equal(!hasApi, _registry.Manifests.ContainsKey($"team/app:{image.Replace(':', '-')}"));
        if (!hasApi)
        {
            var found = await Client.ListReferrersAsync($"{Repository}:v1", null, null, Cancel);
            Assert.Equal(["application/spdx+json", "text/plain"], found.Select(entry => entry.ArtifactType));
            Assert.Equal(pushed.Digest, Assert.Single(await Client.ListReferrersAsync($"{Repository}:v1", "application/spdx+json", null, Cancel)).Digest);
            Assert.Equal([("sbom.json", 1L)], await PullAsync(pushed.Name));
        }
    }

    [Fact]
    public async Task A_subject_that_is_not_there_is_refused_before_anything_is_sent()
    {
        var failure = await Assert.ThrowsAnyAsync<WherryException>(() => PushAsync(new ArtifactPushRequest { Reference = Repository, Subject = "none" }, ("a", "1")));

        Assert.Equal(ErrorKind.NotFound, failure.Kind);
        Assert.Contains("subject none is not in", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_registry.Blobs);
    }

    [Fact]
    public async Task A_broken_connection_is_taken_up_and_damage_is_refused()
    {
        await PushAsync(new ArtifactPushRequest { Reference = $"{Repository}:big" }, ("big", new string('y', 2_000_000)));
        var cuts = 2;
        _registry.Fault = request => request.Method == "GET" && request.IsBlob && cuts-- > 0 ? _registry.AnswerWell(request) with { CutAfter = 700_000 } : null;

        Assert.Equal([("big", 2_000_000L)], await PullAsync($"{Repository}:big"));

        _registry.Fault = request => request.Method == "GET" && request.IsBlob ? new Answer(200, new byte[2_000_000]) : null;
        Assert.Contains("came damaged", (await Assert.ThrowsAnyAsync<WherryException>(() => PullAsync($"{Repository}:big"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Images_indexes_and_nothing_are_told_apart()
    {
        SampleImage.Add(_registry, "team/app", "image", [SampleImage.Layer("a", 1000)]);
        _registry.AddManifest("team/app", "index", MediaTypes.OciIndex, $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[]}""");

        Assert.Contains("is an image, not an artifact", (await RefusedAsync("image")).Message, StringComparison.Ordinal);
        Assert.Contains("is an index, not an artifact", (await RefusedAsync("index")).Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.NotFound, (await RefusedAsync("none")).Kind);
    }

    [Theory]
    [InlineData("../escape")]
    [InlineData("/etc/passwd")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("")]
    public async Task A_file_name_that_is_a_path_is_refused_both_ways(string name)
    {
        await PushAsync(new ArtifactPushRequest { Reference = $"{Repository}:v1" }, ("good", "1"));
        var json = Encoding.UTF8.GetString(_registry.Manifests["team/app:v1"].Bytes).Replace("\"good\"", JsonSerializer.Serialize(name), StringComparison.Ordinal);
        _registry.AddManifest("team/app", "evil", MediaTypes.OciManifest, json);

        Assert.Contains("must be a plain file name", (await RefusedAsync("evil")).Message, StringComparison.Ordinal);
        if (name.Length > 0)
            Assert.Contains("must be a plain file name", (await Assert.ThrowsAnyAsync<WherryException>(() => PushAsync(new ArtifactPushRequest { Reference = $"{Repository}:v2" }, (name, "1")))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_makes_no_sense_is_refused_by_name()
    {
        Assert.Contains("two files of one artifact are called a", (await PushRefusedAsync(new ArtifactPushRequest { Reference = Repository }, ("a", "1"), ("a", "2"))).Message, StringComparison.Ordinal);
        Assert.Contains("\"sbom\" is not a media type", (await PushRefusedAsync(new ArtifactPushRequest { Reference = Repository, ArtifactType = "sbom" })).Message, StringComparison.Ordinal);
        Assert.Contains("none of the artifact's files", (await PushRefusedAsync(new ArtifactPushRequest { Reference = Repository, FileTypes = new Dictionary<string, string> { ["b"] = "text/plain" } }, ("a", "1"))).Message, StringComparison.Ordinal);
        Assert.Contains("cannot push to a digest", (await PushRefusedAsync(new ArtifactPushRequest { Reference = $"{Repository}@{Digests.Of([])}" })).Message, StringComparison.Ordinal);
        using var noise = new MemoryStream(Encoding.ASCII.GetBytes(new string('n', 2048)));
        Assert.Contains("not a tar archive", (await Assert.ThrowsAnyAsync<WherryException>(() => Client.PushArtifactAsync(new ArtifactPushRequest { Reference = Repository }, noise, Cancel))).Message, StringComparison.Ordinal);
        Assert.Empty(_registry.Requests);
    }

    private Manifest Stored(string key) => JsonSerializer.Deserialize(_registry.Manifests[key].Bytes, ImageJson.Default.Manifest)!;

    private Task<WherryException> RefusedAsync(string tag) => Assert.ThrowsAnyAsync<WherryException>(() => PullAsync($"{Repository}:{tag}"));

    private Task<WherryException> PushRefusedAsync(ArtifactPushRequest request, params (string Name, string Content)[] files) =>
        Assert.ThrowsAnyAsync<WherryException>(() => PushAsync(request, files));

    private async Task<PushedArtifact> PushAsync(ArtifactPushRequest request, params (string Name, string Content)[] files)
    {
        using var archive = new MemoryStream();
        var tar = new TarWriter(archive);
        foreach (var (name, content) in files)
        {
            tar.WriteHeader(new TarEntry { Kind = TarKind.File, Name = Encoding.UTF8.GetBytes(name), Size = content.Length });
            tar.WriteData(Encoding.ASCII.GetBytes(content));
        }
        tar.Finish();
        archive.Position = 0;
        return await Client.PushArtifactAsync(request, archive, Cancel);
    }

    private async Task<List<(string Name, long Size)>> PullAsync(string name)
    {
        using var files = await Client.PullArtifactAsync(name, null, Cancel);
        using var archive = new MemoryStream();
        files.WriteTo(archive, Cancel);
        archive.Position = 0;
        using var reader = new TarReader(archive, TarEnd.Required);
        var found = new List<(string, long)>();
        while (reader.Next() is { } entry)
            found.Add((entry.NameText, entry.Size));
        return found;
    }
}
