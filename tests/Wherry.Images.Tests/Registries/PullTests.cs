using System.Text;
using Wherry.Errors;
using Wherry.Images.Distribution;
using Wherry.Images.Distribution.Pulls;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;

namespace Wherry.Images.Tests.Registries;

/// <summary>Pulls from a registry that behaves, and from one that does not.</summary>
public sealed class PullTests : IAsyncLifetime
{
    private static readonly RegistryOptions Quick = new()
    {
        RetryDelay = TimeSpan.FromMilliseconds(1),
        LongestWait = TimeSpan.FromSeconds(2),
        AnswerTimeout = TimeSpan.FromSeconds(20),
        StallTimeout = TimeSpan.FromSeconds(20),
        CertificateDirectories = [],
    };

    private readonly StoreFixture _store = new();
    private readonly TestRegistry _registry = new();
    private readonly Reports _reports = new();
    private readonly byte[] _first = SampleImage.Layer("a/first", 3_000_000, 1);
    private readonly byte[] _second = SampleImage.Layer("b/second", 50_000, 2);

    private CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Name => $"{_registry.Host}/team/app:v1";

    private string Ingest => Path.Combine(_store.Data, "content", "ingest");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _registry.DisposeAsync();
        _store.Dispose();
    }

    [Fact]
    public async Task A_pulled_image_is_whole_and_named_by_tag_and_digest()
    {
        var digest = SampleImage.Add(_registry, "team/app", "v1", [_first, _second]);

        await PullAsync();

        var image = _store.Images.Resolve(Name);
        Assert.Equal([$"{_registry.Host}/team/app@{digest}"], image.RepoDigests);
        Assert.Equal(image.Id, _store.Images.Resolve($"{_registry.Host}/team/app@{digest}").Id);
        Assert.Equal(3_050_000, image.Size);
        Assert.Empty(Directory.GetFileSystemEntries(Ingest));
        Assert.Equal($"Status: Downloaded newer image for {Name}", _reports.Statuses.Last());
        Assert.Contains($"Digest: {digest}", _reports.Statuses);
        foreach (var status in new[] { "Pulling from team/app", "Pulling fs layer", "Downloading", "Verifying Checksum", "Download complete", "Extracting", "Pull complete" })
            Assert.Contains(status, _reports.Statuses);
        _store.Reopen();
        Assert.Equal(image.Id, _store.Images.Resolve(Name).Id);
    }

    [Fact]
    public async Task A_second_pull_fetches_no_layer()
    {
        SampleImage.Add(_registry, "team/app", "v1", [_first, _second]);
        await PullAsync();
        _registry.Requests.Clear();

        await PullAsync();

        Assert.DoesNotContain(_registry.Requests, request => IsLayer(request, _first));
        Assert.Equal($"Status: Image is up to date for {Name}", _reports.Statuses.Last());
    }

    [Theory]
    [InlineData(MediaTypes.OciManifest, MediaTypes.OciLayer)]
    [InlineData(MediaTypes.DockerManifest, MediaTypes.DockerLayerGzip)]
    public async Task Docker_and_oci_manifests_with_plain_and_gzip_layers_are_pulled(string type, string layerType)
    {
        SampleImage.Add(_registry, "team/app", "v1", [_first, _second], pack: layerType == MediaTypes.OciLayer ? static layer => layer : null, type: type, layerType: layerType);

        await PullAsync();

        Assert.Equal(3_050_000, _store.Images.Resolve(Name).Size);
    }

    [Fact]
    public async Task A_cut_connection_is_taken_up_where_it_broke()
    {
        SampleImage.Add(_registry, "team/app", "v1", [_first]);
        var cuts = 3;
        _registry.Fault = request => IsLayer(request, _first) && cuts-- > 0 ? _registry.AnswerWell(request) with { CutAfter = 700_000 } : null;

        await PullAsync();

        Assert.NotNull(_store.Images.TryResolve(Name));
        Assert.Equal(["", "bytes=700000-", "bytes=1400000-", "bytes=2100000-"], _registry.Requests.Where(request => IsLayer(request, _first)).Select(request => request.Header("Range")));
    }

    [Fact]
    public async Task A_registry_that_ignores_ranges_is_read_over()
    {
        SampleImage.Add(_registry, "team/app", "v1", [_first]);
        var cuts = 1;
        _registry.Fault = request => !IsLayer(request, _first) ? null
            : new Answer(200, _registry.Blobs[Digests.Of(SampleImage.Gzip(_first))]) { CutAfter = cuts-- > 0 ? 1_500_000 : null };

        await PullAsync();

        Assert.NotNull(_store.Images.TryResolve(Name));
    }

    [Fact]
    public async Task What_a_failed_pull_got_is_used_by_the_next()
    {
        SampleImage.Add(_registry, "team/app", "v1", [_first, _second]);
        _registry.Fault = request => IsLayer(request, _first)
            ? request.Header("Range").Length == 0 ? _registry.AnswerWell(request) with { CutAfter = 2_000_000 } : Answer.Error(404, "BLOB_UNKNOWN", "gone")
            : null;
        await Assert.ThrowsAnyAsync<WherryException>(PullAsync);
        Assert.Null(_store.Images.TryResolve(Name));
        Assert.Empty(Directory.GetFiles(Path.Combine(_store.Data, "content", "blobs", "sha256")));
        Assert.NotEmpty(Directory.GetFiles(Ingest));
        _store.Reopen(); // as after kill -9
        _registry.Fault = static _ => null;
        _registry.Requests.Clear();

        await PullAsync();

        Assert.Equal(["bytes=2000000-"], _registry.Requests.Where(request => IsLayer(request, _first)).Select(request => request.Header("Range")));
        Assert.Empty(Directory.GetFileSystemEntries(Ingest));
    }

    [Fact]
    public async Task Cancelling_leaves_finished_layers_for_the_next_try()
    {
        SampleImage.Add(_registry, "team/app", "v1", [_first, _second]);
        var gate = new TaskCompletionSource();
        _registry.Fault = request => IsLayer(request, _first) ? _registry.AnswerWell(request) with { Gate = gate } : null;
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var pull = Client().PullAsync(new PullRequest { Reference = Name }, _reports, cancel.Token);
        await UntilAsync(() => _reports.All.Any(report => report.Status == "Download complete"));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
        _registry.Fault = static _ => null;
        _registry.Requests.Clear();

        await PullAsync();

        Assert.DoesNotContain(_registry.Requests, request => IsLayer(request, _second));
        Assert.NotNull(_store.Images.TryResolve(Name));
    }

    [Fact]
    public async Task Pulls_at_once_fetch_each_shared_layer_once()
    {
        SampleImage.Add(_registry, "team/app", "v1", [_first, _second]);
        SampleImage.Add(_registry, "team/other", "v1", [_second, _first]);
        var client = Client();

        await Task.WhenAll(
            client.PullAsync(new PullRequest { Reference = Name }, null, Cancel),
            client.PullAsync(new PullRequest { Reference = $"{_registry.Host}/team/other:v1" }, null, Cancel),
            client.PullAsync(new PullRequest { Reference = Name }, null, Cancel));

        Assert.Single(_registry.Requests, request => IsLayer(request, _first));
        Assert.Single(_registry.Requests, request => IsLayer(request, _second));
        Assert.Equal(3_050_000, _store.Images.Resolve($"{_registry.Host}/team/other:v1").Size);
    }

    [Fact]
    public async Task Damaged_layers_are_refused_and_leave_nothing()
    {
        SampleImage.Add(_registry, "team/app", "v1", [_first]);
        _registry.Fault = request =>
        {
            if (!IsLayer(request, _first))
                return null;
            var damaged = _registry.AnswerWell(request);
            damaged = damaged with { Body = [.. damaged.Body] };
            damaged.Body[^1000] ^= 1;
            return damaged;
        };

        var failure = await Assert.ThrowsAnyAsync<WherryException>(PullAsync);

        Assert.Contains("layer verification failed", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Ingest));
        Assert.DoesNotContain(Directory.GetDirectories(Path.Combine(_store.Data, "layers")), directory => Path.GetFileName(directory).StartsWith(".tmp-", StringComparison.Ordinal));
        Assert.Null(_store.Images.TryResolve(Name));
    }

    [Fact]
    public async Task A_layer_that_is_no_archive_is_refused()
    {
        SampleImage.Add(_registry, "team/app", "v1", [Encoding.UTF8.GetBytes(new string('x', 4096))]);

        await Assert.ThrowsAnyAsync<WherryException>(PullAsync);

        Assert.Empty(Directory.GetFileSystemEntries(Ingest));
    }

    [Fact]
    public void A_layer_that_inflates_beyond_reason_is_refused()
    {
        using var staged = _store.Layers.Stage();
        staged.LargestPlainSize = 1 << 20;
        using var bomb = new MemoryStream(SampleImage.Gzip(SampleImage.Layer("bomb", 3 << 20)));

        var failure = Assert.ThrowsAny<WherryException>(() => staged.Unpack(bomb, null, Storage.Archives.TarEnd.Optional, Cancel));

        Assert.Contains("inflates to more than", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"mediaType":"MANIFEST","config":CONFIG,"layers":[],"layers":[]}""", "twice")]
    [InlineData("""{"schemaVersion":2,"mediaType":"application/x-strange","config":CONFIG,"layers":[]}""", "unknown type application/x-strange")]
    [InlineData("""{"schemaVersion":1,"name":"a"}""", "schema 1")]
    [InlineData("""{"schemaVersion":2,"mediaType":"MANIFEST","layers":[]}""", "no configuration")]
    [InlineData("""{"schemaVersion":2,"mediaType":"MANIFEST","config":{"mediaType":"application/vnd.unknown.config","digest":"DIGEST","size":2},"layers":[]}""", "artifact of type application/vnd.unknown.config")]
    [InlineData("""{"schemaVersion":2,"mediaType":"MANIFEST","config":CONFIG,"layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"DIGEST","size":2}]}""", "foreign layer")]
    [InlineData("""{"schemaVersion":2,"mediaType":"MANIFEST","config":CONFIG,"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:short","size":2}]}""", "not a sha256 digest")]
    [InlineData("""{"schemaVersion":2,"mediaType":"MANIFEST","config":CONFIG,"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"DIGEST","size":-1}]}""", "has -1 bytes")]
    [InlineData("""{"schemaVersion":2,"mediaType":"MANIFEST","config":CONFIG,"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"DIGEST","size":9223372036854775807}]}""", "has 9223372036854775807 bytes")]
    [InlineData("""{"schemaVersion":2,"mediaType":"MANIFEST","config":CONFIG,"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"DIGEST","size":99999999999999999999}]}""", "not what it should be")]
    [InlineData("""{"schemaVersion":2,"mediaType":"MANIFEST","config":CONFIG,"layers":[null]}""", "not a sha256 digest")]
    [InlineData("""[[[""", "not what it should be")]
    public async Task Manifests_that_make_no_sense_are_refused_by_name(string manifest, string says)
    {
        var digest = _registry.AddBlob("{}"u8.ToArray());
        var config = $$"""{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{digest}}","size":2}""";
        _registry.AddManifest("team/app", "v1", "application/json", manifest.Replace("CONFIG", config).Replace("MANIFEST", MediaTypes.OciManifest).Replace("DIGEST", digest));

        var failure = await Assert.ThrowsAnyAsync<WherryException>(PullAsync);

        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_larger_than_4_MiB_is_refused()
    {
        _registry.AddManifest("team/app", "v1", MediaTypes.OciManifest, new string(' ', (4 << 20) + 1));

        Assert.Equal(ErrorKind.TooLarge, (await Assert.ThrowsAnyAsync<WherryException>(PullAsync)).Kind);
    }

    [Fact]
    public async Task An_index_gives_the_image_of_this_host_or_of_the_platform_asked_for()
    {
        var here = Platform.Host.Architecture;
        var mine = SampleImage.Add(_registry, "team/app", null, [_first], here);
        var other = SampleImage.Add(_registry, "team/app", null, [_second], "s390x");
        var index = Index((mine, here, "linux"), (other, "s390x", "linux"), (mine, "unknown", "unknown"));

        await PullAsync();
        Assert.Equal(here, _store.Images.Resolve(Name).Config.Architecture);
        Assert.Equal([$"{_registry.Host}/team/app@{index}"], _store.Images.Resolve(Name).RepoDigests);
        await Client().PullAsync(new PullRequest { Reference = Name, Platform = Platform.TryParse("linux/s390x") }, null, Cancel);
        Assert.Equal("s390x", _store.Images.Resolve(Name).Config.Architecture);

        var failure = await Assert.ThrowsAnyAsync<WherryException>(() => Client().PullAsync(new PullRequest { Reference = Name, Platform = Platform.TryParse("linux/mips") }, null, Cancel));
        Assert.Contains("no matching manifest for linux/mips", failure.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.NotFound, failure.Kind);
    }

    [Fact]
    public async Task An_index_that_contains_itself_ends()
    {
        var inner = SampleImage.Add(_registry, "team/app", null, [_second]);
        for (var depth = 0; depth < 6; depth++)
            inner = _registry.AddManifest("team/app", "v1", MediaTypes.OciIndex, $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{"mediaType":"{{MediaTypes.OciIndex}}","digest":"{{inner}}","size":1}]}""");

        Assert.Contains("nested too deep", (await Assert.ThrowsAnyAsync<WherryException>(PullAsync)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_by_digest_is_that_or_an_error()
    {
        var digest = SampleImage.Add(_registry, "team/app", "v1", [_second]);
        await Client().PullAsync(new PullRequest { Reference = $"{_registry.Host}/team/app@{digest}" }, null, Cancel);
        Assert.Empty(_store.Images.Resolve($"{_registry.Host}/team/app@{digest}").RepoTags);
        var wrong = "sha256:" + new string('a', 64);
        _registry.Manifests[$"team/app@{wrong}"] = _registry.Manifests["team/app:v1"];

        var failure = await Assert.ThrowsAnyAsync<WherryException>(() => Client().PullAsync(new PullRequest { Reference = $"{_registry.Host}/team/app@{wrong}" }, null, Cancel));

        Assert.Contains(digest, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_tags_of_a_repository_are_pulled()
    {
        SampleImage.Add(_registry, "team/app", "v1", [_first]);
        SampleImage.Add(_registry, "team/app", "v2", [_first, _second]);

        await Client().PullAsync(new PullRequest { Reference = $"{_registry.Host}/team/app", AllTags = true }, _reports, Cancel);

        Assert.NotNull(_store.Images.TryResolve($"{_registry.Host}/team/app:v1"));
        Assert.NotNull(_store.Images.TryResolve($"{_registry.Host}/team/app:v2"));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task Passing_troubles_are_waited_out(int status)
    {
        SampleImage.Add(_registry, "team/app", "v1", [_second]);
        var left = 3;
        _registry.Fault = _ => left-- > 0 ? Answer.Error(status, "TOOMANYREQUESTS", "slow down", ("Retry-After", "0")) : null;

        await PullAsync();

        Assert.NotNull(_store.Images.TryResolve(Name));
    }

    [Fact]
    public async Task A_rate_limit_that_asks_for_too_long_a_wait_is_told_at_once()
    {
        SampleImage.Add(_registry, "team/app", "v1", [_second]);
        _registry.Fault = static _ => Answer.Error(429, "TOOMANYREQUESTS", "limit reached", ("Retry-After", "3600"));

        var failure = await Assert.ThrowsAnyAsync<WherryException>(PullAsync);

        Assert.Contains("3600 s", failure.Message, StringComparison.Ordinal);
        Assert.Single(_registry.Requests);
    }

    [Fact]
    public async Task Errors_name_registry_repository_and_what_to_do()
    {
        var missing = await Assert.ThrowsAnyAsync<WherryException>(PullAsync);
        Assert.Equal(ErrorKind.NotFound, missing.Kind);
        Assert.Contains($"manifest for {Name} not found", missing.Message, StringComparison.Ordinal);
        Assert.Contains("manifest unknown", missing.Message, StringComparison.Ordinal);
        _registry.Fault = static _ => Answer.Error(403, "DENIED", "requested access is denied");

        var denied = await Assert.ThrowsAnyAsync<WherryException>(PullAsync);

        Assert.Contains($"pull access denied for {_registry.Host}/team/app", denied.Message, StringComparison.Ordinal);
        Assert.Contains("docker login", denied.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redirect_loops_end()
    {
        SampleImage.Add(_registry, "team/app", "v1", [_second]);
        _registry.Fault = request => request.IsBlob ? new Answer(307, [], ("Location", request.Path)) : null;

        Assert.Contains("redirects", (await Assert.ThrowsAnyAsync<WherryException>(PullAsync)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_do_not_follow_a_redirect_to_another_host()
    {
        await using var storage = new TestRegistry();
        SampleImage.Add(_registry, "team/app", "v1", [_second]);
        foreach (var (digest, blob) in _registry.Blobs)
            storage.Blobs[digest] = blob;
        _registry.Fault = request =>
            request.Header("Authorization").Length == 0 ? Answer.Error(401, "UNAUTHORIZED", "log in", ("WWW-Authenticate", "Basic realm=\"r\""))
            : request.IsBlob ? new Answer(307, [], ("Location", storage.Url + request.Path))
            : null;

        await Client().PullAsync(new PullRequest { Reference = Name, Credentials = new RegistryCredentials { Username = "u", Password = "p" } }, null, Cancel);

        Assert.NotEmpty(storage.Requests);
        Assert.All(storage.Requests, request => Assert.Equal("", request.Header("Authorization")));
    }

    [Fact]
    public async Task A_layer_that_has_another_size_than_announced_is_refused()
    {
        SampleImage.Add(_registry, "team/app", "v1", [_second]);
        _registry.Fault = request => IsLayer(request, _second) ? new Answer(200, new byte[10_000_000]) : null;

        Assert.Contains("10000000", (await Assert.ThrowsAnyAsync<WherryException>(PullAsync)).Message, StringComparison.Ordinal);
    }

    private RegistryClient Client(RegistryOptions? options = null) => new(_store.Images, options ?? Quick);

    private Task PullAsync() => Client().PullAsync(new PullRequest { Reference = Name }, _reports, Cancel);

    private static bool IsLayer(Received request, byte[] plain) => request.Path.EndsWith(Digests.Of(SampleImage.Gzip(plain)), StringComparison.Ordinal);

    private string Index(params (string Digest, string Architecture, string Os)[] entries) => _registry.AddManifest(
        "team/app",
        "v1",
        MediaTypes.OciIndex,
        $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{string.Join(',', entries.Select(entry => $$$"""{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{entry.Digest}}}","size":1,"platform":{"architecture":"{{{entry.Architecture}}}","os":"{{{entry.Os}}}"}}"""))}}]}""");

    private async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(5, Cancel);
    }
}
