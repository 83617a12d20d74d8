using System.Net;
using System.Security.Cryptography;
using Wherry.Oci.Images;
using Wherry.Registry.Names;
using Wherry.Registry.Proxy;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Tests;

/// <summary>A cache in front of another registry: fetched once, verified, kept, and given out when that one is down.</summary>
public sealed class PullThroughTests
{
    [Fact]
    public async Task What_was_pulled_once_is_there_without_upstream()
    {
        await using var upstream = await RunningRegistry.StartAsync();
        var image = await upstream.Client.PushImageAsync("team/app", "v1");
        await using var cache = await StartAsync(new HttpUpstream(new HttpUpstreamOptions { Address = upstream.Client.BaseAddress! }));
        await PullAsync(cache, image);

        await cache.Upstream.BreakAsync();

        await PullAsync(cache, image);
        using var tags = await cache.Client.SendAsync("GET", "/v2/team/app/tags/list");
        Assert.Equal(["v1"], (await tags.JsonAsync()).GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
        using var unknown = await cache.Client.SendAsync("GET", "/v2/team/app/manifests/v2");
        await unknown.HasStatusAsync(HttpStatusCode.BadGateway);
    }

    [Fact]
    public async Task A_tag_that_moved_upstream_has_moved_here()
    {
        await using var upstream = await RunningRegistry.StartAsync();
        await upstream.Client.PushImageAsync("app", "latest", "old");
        await using var cache = await StartAsync(new HttpUpstream(new HttpUpstreamOptions { Address = upstream.Client.BaseAddress! }));
        using var before = await cache.Client.SendAsync("GET", "/v2/app/manifests/latest");
        await before.HasStatusAsync(HttpStatusCode.OK);

        var moved = await upstream.Client.PushImageAsync("app", "latest", "new");
        using var after = await cache.Client.SendAsync("GET", "/v2/app/manifests/latest");
        Assert.Equal(moved.Digest, after.Header("Docker-Content-Digest"));

        using var delete = await upstream.Client.SendAsync("DELETE", "/v2/app/manifests/latest");
        using var gone = await cache.Client.SendAsync("GET", "/v2/app/manifests/latest");
        await gone.FailsWithAsync(HttpStatusCode.NotFound, "MANIFEST_UNKNOWN");
    }

    [Fact]
    public async Task Many_clients_cost_one_fetch_and_have_the_first_bytes_before_the_last_came()
    {
        var content = RandomNumberGenerator.GetBytes(1_000_000);
        var source = new HeldUpstream(content, release: 500_000);
        await using var cache = await StartAsync(source);
        var path = $"/v2/app/blobs/{Pushing.DigestOf(content)}";

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => cache.Client.SendAsync("GET", path)));
        var first = new byte[1000];
        await using (var stream = await answers[0].Content.ReadAsStreamAsync(TestContext.Current.CancellationToken))
        {
            // The rest has not left upstream yet.
            await stream.ReadExactlyAsync(first, TestContext.Current.CancellationToken);
            Assert.Equal(content[..1000], first);
            source.Release();
        }

        foreach (var answer in answers.Skip(1))
        {
            await answer.HasStatusAsync(HttpStatusCode.OK);
            Assert.Equal(content, await answer.BytesAsync());
            answer.Dispose();
        }

        Assert.Equal(1, source.Opened);
        using var part = await cache.Client.SendAsync("GET", path, headers: ("Range", "bytes=10-19"));
        Assert.Equal(content[10..20], await part.BytesAsync());
    }

    [Fact]
    public async Task Content_of_another_digest_reaches_nobody_whole_and_is_not_kept()
    {
        var wanted = Pushing.DigestOf(Pushing.Text("what was asked for"));
        var source = new HeldUpstream(Pushing.Text("what has come back"), release: int.MaxValue);
        await using var cache = await StartAsync(source);

        await FailsAsync(cache, $"/v2/app/blobs/{wanted}");

        Assert.Empty(Directory.EnumerateFiles(Path.Combine(cache.Root, "blobs", "sha256")));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(cache.Root, "uploads")));
        Assert.Equal(0, cache.Store.OpenUploads);
    }

    [Fact]
    public async Task A_broken_fetch_is_made_anew_for_the_next_client()
    {
        var content = RandomNumberGenerator.GetBytes(300_000);
        var source = new HeldUpstream(content, release: int.MaxValue) { BreakAfter = 100_000 };
        await using var cache = await StartAsync(source);
        var path = $"/v2/app/blobs/{Pushing.DigestOf(content)}";
        await FailsAsync(cache, path);

        source.BreakAfter = null;
        using var whole = await cache.Client.SendAsync("GET", path);
        Assert.Equal(content, await whole.BytesAsync());
    }

    [Fact]
    public async Task Nothing_can_be_pushed_to_a_cache()
    {
        await using var cache = await StartAsync(new HeldUpstream([], release: 0));

        using var push = await cache.Client.SendAsync("POST", "/v2/app/blobs/uploads/", []);
        await push.FailsWithAsync(HttpStatusCode.MethodNotAllowed, "UNSUPPORTED");
    }

    [Theory]
    [InlineData("realm=\"https://auth.example.com/token\",service=\"registry.example.com\",scope=\"repository:a:pull,push\"", "https://auth.example.com/token")]
    [InlineData("service=x, realm=\"https://a/b?c=d\"", "https://a/b?c=d")]
    [InlineData("realm=https://plain/token,service=x", "https://plain/token")]
    public void Challenges_are_read_whatever_their_order(string text, string realm) =>
        Assert.Equal(realm, UpstreamAuthorization.Parse(text)["realm"]);

    /// <summary>The connection breaks off, before or after the answer's head has come.</summary>
    private static Task FailsAsync(Cache cache, string path) => Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
    {
        using var answer = await cache.Client.SendAsync("GET", path);
        await answer.BytesAsync();
    });

    private static async Task PullAsync(Cache cache, PushedImage image)
    {
        using var manifest = await cache.Client.SendAsync("GET", "/v2/team/app/manifests/v1", headers: ("Accept", MediaTypes.OciManifest));
        await manifest.HasStatusAsync(HttpStatusCode.OK);
        Assert.Equal(image.Manifest, await manifest.BytesAsync());
        foreach (var digest in new[] { image.ConfigDigest, image.LayerDigest })
        {
            using var blob = await cache.Client.SendAsync("GET", $"/v2/team/app/blobs/{digest}");
            await blob.HasStatusAsync(HttpStatusCode.OK);
            Assert.Equal(digest, Pushing.DigestOf(await blob.BytesAsync()));
        }
    }

    private static async Task<Cache> StartAsync(IUpstream source)
    {
        var breakable = new BreakableUpstream(source);
        PullThrough? cache = null;
        var registry = await RunningRegistry.StartAsync(setup =>
        {
            setup.Store = setup.Store with { AllowMissingBlobs = true };
            setup.Server = (options, store) =>
            {
                cache = new PullThrough(store, breakable, options.Metrics, setup.Log);
                return options with { Content = cache, ReadOnly = "it is a cache of another registry" };
            };
        });
        return new Cache(registry, cache!, breakable);
    }

    private sealed record Cache(RunningRegistry Registry, PullThrough Content, BreakableUpstream Upstream) : IAsyncDisposable
    {
        public HttpClient Client => Registry.Client;

        public string Root => Registry.Root;

        public LocalStore Store => Registry.Store;

        public async ValueTask DisposeAsync()
        {
            await Content.DisposeAsync();
            await Registry.DisposeAsync();
        }
    }

    /// <summary>Another registry that can be taken away.</summary>
    private sealed class BreakableUpstream(IUpstream inner) : IUpstream
    {
        private volatile bool _isBroken;

        public Task BreakAsync()
        {
            _isBroken = true;
            return Task.CompletedTask;
        }

        public Task<ContentDigest?> ResolveAsync(string repository, ManifestReference reference, CancellationToken cancel) => Up().ResolveAsync(repository, reference, cancel);

        public Task<StoredManifest?> FetchManifestAsync(string repository, ManifestReference reference, CancellationToken cancel) => Up().FetchManifestAsync(repository, reference, cancel);

        public Task<UpstreamBlob?> OpenBlobAsync(string repository, ContentDigest digest, CancellationToken cancel) => Up().OpenBlobAsync(repository, digest, cancel);

        public Task<byte[]?> FetchListAsync(string repository, string path, CancellationToken cancel) => Up().FetchListAsync(repository, path, cancel);

        private IUpstream Up() => _isBroken ? throw new UpstreamException("it was taken away") : inner;
    }

    /// <summary>Another registry with one blob, which stops on its way until it is released, or breaks.</summary>
    private sealed class HeldUpstream(byte[] content, int release) : IUpstream
    {
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _opened;

        public int Opened => Volatile.Read(ref _opened);

        public int? BreakAfter { get; set; }

        public void Release() => _released.TrySetResult();

        public Task<ContentDigest?> ResolveAsync(string repository, ManifestReference reference, CancellationToken cancel) => Task.FromResult<ContentDigest?>(null);

        public Task<StoredManifest?> FetchManifestAsync(string repository, ManifestReference reference, CancellationToken cancel) => Task.FromResult<StoredManifest?>(null);

        public Task<byte[]?> FetchListAsync(string repository, string path, CancellationToken cancel) => Task.FromResult<byte[]?>(null);

        public Task<UpstreamBlob?> OpenBlobAsync(string repository, ContentDigest digest, CancellationToken cancel)
        {
            Interlocked.Increment(ref _opened);
            return Task.FromResult<UpstreamBlob?>(new UpstreamBlob(content.Length, new HeldStream(this, content, release), new MemoryStream()));
        }

        private sealed class HeldStream(HeldUpstream owner, byte[] content, int release) : MemoryStream(content)
        {
            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                if (Position >= owner.BreakAfter)
                {
                    throw new IOException("broken on purpose");
                }

                if (Position >= release)
                {
                    await owner._released.Task.WaitAsync(cancellationToken);
                }

                return await base.ReadAsync(buffer[..Math.Min(buffer.Length, 50_000)], cancellationToken);
            }
        }
    }
}
