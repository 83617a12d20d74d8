using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Wherry.Registry.Http;
using Wherry.Registry.Names;
using Wherry.Registry.Storage;

namespace Wherry.Registry.Tests;

/// <summary>What surrounds the API: TLS, quotas, read-only, health, metrics, restarts.</summary>
public sealed class ServerTests
{
    [Fact]
    public async Task Over_tls_everything_goes_as_without_it()
    {
        var directory = Directory.CreateTempSubdirectory("wherry-tls-").FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(Path.Combine(directory, "cert.pem"), certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(directory, "key.pem"), key.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);
        var identity = TlsIdentity.Open(Path.Combine(directory, "cert.pem"), Path.Combine(directory, "key.pem"));
        await using var registry = await RunningRegistry.StartAsync(setup => setup.Server = (options, _) => options with { Tls = identity });
        using var client = registry.NewClient("https", new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, found, _, _) => found!.GetCertHashString() == certificate.GetCertHashString() },
        });

        var content = RandomNumberGenerator.GetBytes(5_000_000);
        var digest = await client.PushBlobAsync("app", content);
        using var get = await client.SendAsync("GET", $"/v2/app/blobs/{digest}");
        Assert.Equal(content, await get.BytesAsync());

        // Whoever speaks no TLS is turned away and disturbs nobody.
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => registry.Client.SendAsync("GET", "/v2/"));
        using var after = await client.SendAsync("GET", "/v2/");
        await after.HasStatusAsync(HttpStatusCode.OK);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_repository_holds_no_more_than_its_quota_whatever_way_content_comes()
    {
        await using var registry = await RunningRegistry.StartAsync(setup => setup.Store = setup.Store with
        {
            Quotas = [new QuotaRule(new RepositoryPattern("big/**"), 1_000_000), new QuotaRule(RepositoryPattern.All, 10_000)],
        });
        var client = registry.Client;
        var content = RandomNumberGenerator.GetBytes(20_000);

        using var whole = await client.SendAsync("POST", $"/v2/app/blobs/uploads/?digest={Pushing.DigestOf(content)}", content, "application/octet-stream");
        await whole.FailsWithAsync(HttpStatusCode.Forbidden, "DENIED");
        var location = await client.BeginUploadAsync("app");
        using var chunk = await client.SendAsync("PATCH", location, content, "application/octet-stream");
        await chunk.FailsWithAsync(HttpStatusCode.Forbidden, "DENIED");
        await client.PushBlobAsync("big/app", content);
        using var mount = await client.SendAsync("POST", $"/v2/app/blobs/uploads/?mount={Pushing.DigestOf(content)}&from=big/app", []);
        await mount.FailsWithAsync(HttpStatusCode.Forbidden, "DENIED");

        // What fits is taken, and many at once don't get past it together.
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            var part = RandomNumberGenerator.GetBytes(3_000);
            using var answer = await client.SendAsync("POST", $"/v2/app/blobs/uploads/?digest={Pushing.DigestOf(part)}", part, "application/octet-stream");
            return answer.StatusCode;
        }));
        Assert.Equal(3, answers.Count(status => status == HttpStatusCode.Created));
        Assert.InRange(registry.Store.UsageOf("app"), 1, 10_000);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(registry.Root, "uploads")));
    }

    [Fact]
    public async Task Read_only_gives_and_takes_nothing()
    {
        await using var registry = await RunningRegistry.StartAsync(setup => setup.Server = (options, _) => options with { ReadOnly = "this registry is read-only", Collection = null });
        var digest = Pushing.DigestOf([]);
        foreach (var (method, path) in new[]
        {
            ("POST", "/v2/app/blobs/uploads/"), ("PATCH", "/v2/app/blobs/uploads/x"), ("PUT", "/v2/app/manifests/v1"),
            ("DELETE", "/v2/app/manifests/v1"), ("DELETE", $"/v2/app/blobs/{digest}"), ("POST", "/_wherry/collect"),
        })
        {
            using var answer = await registry.Client.SendAsync(method, path, []);
            await answer.FailsWithAsync(HttpStatusCode.MethodNotAllowed, "UNSUPPORTED");
        }

        using var catalog = await registry.Client.SendAsync("GET", "/v2/_catalog");
        await catalog.HasStatusAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_restart_keeps_what_was_pushed_and_drops_what_was_on_its_way()
    {
        var root = Directory.CreateTempSubdirectory("wherry-registry-").FullName;
        try
        {
            using (var store = LocalStore.Open(new StoreOptions { Root = root }))
            {
                var held = store.BeginUpload("app");
                await store.AppendAsync(held, new MemoryStream(new byte[1000]), _ => { }, TestContext.Current.CancellationToken);
                store.Commit(held, ContentDigest.Of(new byte[1000]));

                // As after a crash: nobody has disposed of these.
                File.WriteAllText(Path.Combine(root, "uploads", "left"), "half");
                File.WriteAllText(Path.Combine(root, "blobs", "sha256", ".tmp-left"), "half");
                Assert.Throws<Errors.WherryException>(() => LocalStore.Open(new StoreOptions { Root = root }));
            }

            using var again = LocalStore.Open(new StoreOptions { Root = root });
            Assert.Equal(1000, again.UsageOf("app"));
            Assert.Empty(Directory.EnumerateFiles(Path.Combine(root, "uploads")));
            Assert.Single(Directory.EnumerateFiles(Path.Combine(root, "blobs", "sha256")));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public async Task Metrics_count_what_happened()
    {
        await using var registry = await RunningRegistry.StartAsync();
        await registry.Client.PushImageAsync("app", "v1");

        using var answer = await registry.Client.SendAsync("GET", "/metrics");

        await answer.HasStatusAsync(HttpStatusCode.OK);
        var text = System.Text.Encoding.UTF8.GetString(await answer.BytesAsync());
        Assert.Contains("wherry_registry_requests_total{method=\"POST\",route=\"Uploads\",status=\"201\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE wherry_registry_received_bytes_total counter\n", text, StringComparison.Ordinal);
        Assert.Contains("wherry_registry_uploads_open 0\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_can_have_an_address_of_their_own()
    {
        await using var registry = await RunningRegistry.StartAsync(setup => setup.Server = (options, _) => options with { MetricsListen = new IPEndPoint(IPAddress.Loopback, 0) });

        using var here = await registry.Client.SendAsync("GET", "/metrics");
        await here.HasStatusAsync(HttpStatusCode.NotFound);
        using var apart = registry.NewClient(address: registry.MetricsHost);
        using var metrics = await apart.SendAsync("GET", "/metrics");
        await metrics.HasStatusAsync(HttpStatusCode.OK);
        using var content = await apart.SendAsync("GET", "/v2/_catalog");
        await content.HasStatusAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Health_says_when_the_root_can_not_be_written()
    {
        await using var registry = await RunningRegistry.StartAsync();
        using var well = await registry.Client.SendAsync("GET", "/healthz");
        await well.HasStatusAsync(HttpStatusCode.OK);

        Directory.Move(Path.Combine(registry.Root, "uploads"), Path.Combine(registry.Root, "elsewhere"));
        using var ill = await registry.Client.SendAsync("GET", "/healthz");
        await ill.HasStatusAsync(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_page_in_a_browser_can_not_push()
    {
        await using var registry = await RunningRegistry.StartAsync();

        using var post = await registry.Client.SendAsync("POST", "/v2/app/blobs/uploads/", [], null, ("Origin", "https://evil.example"));
        await post.FailsWithAsync(HttpStatusCode.Forbidden, "DENIED");
    }

    [Fact]
    public async Task Pages_show_repositories_tags_sizes_and_layers_to_people()
    {
        await using var registry = await RunningRegistry.StartAsync();
        using var empty = await registry.Client.SendAsync("GET", "/");
        Assert.Contains("docker push", System.Text.Encoding.UTF8.GetString(await empty.BytesAsync()), StringComparison.Ordinal);
        var image = await registry.Client.PushImageAsync("team/app", "v1");
        var config = Pushing.Text("{}");
        await registry.Client.PushBlobAsync("team/app", config);
        var hostile = Pushing.Manifest(config, [], ",\"annotations\":{\"<script>alert(1)</script>\":\"\\\"><img src=x>\"}");
        await registry.Client.PushManifestAsync("team/app", "hostile", hostile);

        var list = await PageAsync(registry, "/");
        Assert.Contains("<a href=\"/ui/team/app\">team/app</a>", list, StringComparison.Ordinal);
        var repository = await PageAsync(registry, "/ui/team/app");
        Assert.Contains("<a href=\"/ui/team/app:v1\">v1</a>", repository, StringComparison.Ordinal);
        foreach (var path in new[] { "/ui/team/app:v1", $"/ui/team/app@{image.Digest}" })
        {
            var page = await PageAsync(registry, path);
            Assert.Contains(image.LayerDigest, page, StringComparison.Ordinal);
            Assert.Contains(image.ConfigDigest, page, StringComparison.Ordinal);
        }

        var escaped = await PageAsync(registry, "/ui/team/app:hostile");
        Assert.DoesNotContain("<script>", escaped, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", escaped, StringComparison.Ordinal);
        using var unknown = await registry.Client.SendAsync("GET", "/ui/nothing/here");
        await unknown.HasStatusAsync(HttpStatusCode.NotFound);
        Assert.Contains("<h1>Not found</h1>", System.Text.Encoding.UTF8.GetString(await unknown.BytesAsync()), StringComparison.Ordinal);
        using var style = await registry.Client.SendAsync("GET", "/ui/style.css");
        Assert.Contains("prefers-color-scheme: dark", System.Text.Encoding.UTF8.GetString(await style.BytesAsync()), StringComparison.Ordinal);
    }

    /// <summary>A page that is well-formed, has what screen readers go by, and loads nothing from elsewhere.</summary>
    private static async Task<string> PageAsync(RunningRegistry registry, string path)
    {
        using var answer = await registry.Client.SendAsync("GET", path);
        await answer.HasStatusAsync(HttpStatusCode.OK);
        Assert.StartsWith("default-src 'none'", answer.Header("Content-Security-Policy"), StringComparison.Ordinal);
        var text = System.Text.Encoding.UTF8.GetString(await answer.BytesAsync());
        var well = System.Xml.Linq.XDocument.Parse(text
            .Replace("<!DOCTYPE html>", "", StringComparison.Ordinal)
            .Replace("<meta charset=\"utf-8\">", "", StringComparison.Ordinal)
            .Replace("initial-scale=1\">", "initial-scale=1\"/>", StringComparison.Ordinal)
            .Replace("style.css\">", "style.css\"/>", StringComparison.Ordinal));
        Assert.Equal("en", well.Root!.Attribute("lang")!.Value);
        Assert.Single(well.Descendants("h1"));
        Assert.Single(well.Descendants("main"));
        Assert.All(well.Descendants("table"), table => Assert.Single(table.Elements("caption")));
        Assert.All(well.Descendants("th"), header => Assert.NotNull(header.Attribute("scope")));
        return text;
    }
}
