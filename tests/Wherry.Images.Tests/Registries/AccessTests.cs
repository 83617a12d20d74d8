using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Wherry.Errors;
using Wherry.Images.Distribution;
using Wherry.Images.Distribution.Http;
using Wherry.Images.Distribution.Pulls;
using Wherry.Oci.Images;
using Wherry.Storage.Layers;

namespace Wherry.Images.Tests.Registries;

/// <summary>Who may, where to, and whom to trust: credentials, mirrors, certificates, signatures.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private readonly StoreFixture _store = new();
    private readonly TestRegistry _registry = new();
    private readonly byte[] _layer = SampleImage.Layer("a/file", 10_000);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Name => $"{_registry.Host}/team/app:v1";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _registry.DisposeAsync();
        _store.Dispose();
    }

    [Fact]
    public void Challenges_are_read_as_the_rfc_has_them()
    {
        var found = Challenge.Parse("Bearer realm=\"https://a.test/token\",service=\"x, \\\"y\\\"\", scope=\"repository:a/b:pull,push\", Basic realm=r, Negotiate");

        Assert.Equal(["bearer", "basic", "negotiate"], found.Select(challenge => challenge.Scheme));
        Assert.Equal("https://a.test/token", found[0]["realm"]);
        Assert.Equal("x, \"y\"", found[0]["service"]);
        Assert.Equal("repository:a/b:pull,push", found[0]["scope"]);
        Assert.Empty(Challenge.Parse("=,\"\""));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("refresh")]
    public async Task Bearer_tokens_are_got_for_the_scope_that_is_needed(string? identityToken)
    {
        SampleImage.Add(_registry, "team/app", "v1", [_layer]);
        await using var tokens = new TestRegistry();
        tokens.Fault = static request =>
            request.Query.Contains("scope=repository%3Ateam%2Fapp%3Apull", StringComparison.Ordinal) && request.Header("Authorization") == "Basic " + Convert.ToBase64String("ann:secret"u8)
            || Encoding.UTF8.GetString(request.Body).Contains("refresh_token=refresh", StringComparison.Ordinal)
                ? Answer.Json(200, """{"token":"good","expires_in":300}""") : Answer.Error(401, "UNAUTHORIZED", "wrong");
        _registry.Fault = request => request.Header("Authorization") == "Bearer good" ? null
            : Answer.Error(401, "UNAUTHORIZED", "authentication required", ("WWW-Authenticate", $"Bearer realm=\"{tokens.Url}/token\",service=\"s\",scope=\"repository:team/app:pull\""));
        var credentials = identityToken is null ? new RegistryCredentials { Username = "ann", Password = "secret" } : new RegistryCredentials { IdentityToken = identityToken };

        await Client().PullAsync(new PullRequest { Reference = Name, Credentials = credentials }, null, Cancel);

        Assert.NotNull(_store.Images.TryResolve(Name));
        Assert.Single(tokens.Requests);
        var refused = await Assert.ThrowsAnyAsync<WherryException>(() => Client().PullAsync(new PullRequest { Reference = Name, Credentials = new RegistryCredentials { Username = "ann", Password = "wrong" } }, null, Cancel));
        Assert.Contains("pull access denied", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Login_tells_right_from_wrong()
    {
        _registry.Fault = static request => request.Header("Authorization") == "Basic " + Convert.ToBase64String("ann:secret"u8) ? null
            : Answer.Error(401, "UNAUTHORIZED", "no", ("WWW-Authenticate", "Basic realm=\"r\""));

        Assert.Equal("", await Client().LoginAsync(new RegistryCredentials { Username = "ann", Password = "secret", ServerAddress = _registry.Host }, Cancel));
        var refused = await Assert.ThrowsAnyAsync<WherryException>(() => Client().LoginAsync(new RegistryCredentials { Username = "ann", Password = "wrong", ServerAddress = _registry.Host }, Cancel));

        Assert.Equal(ErrorKind.Unauthorized, refused.Kind);
        Assert.Contains("incorrect username or password", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mirrors_are_asked_in_order_and_the_registry_last()
    {
        await using var empty = new TestRegistry();
        await using var broken = new TestRegistry { Fault = static _ => Answer.Error(400, "UNKNOWN", "no") };
        SampleImage.Add(_registry, "cache/team/app", "v1", [_layer]);
        var rule = new RegistryRule { Mirrors = [$"http://127.0.0.1:1/nobody", empty.Url, $"{_registry.Url}/cache"] };
        var options = Options() with { Registries = new Dictionary<string, RegistryRule> { ["registry.test"] = rule } };

        await new RegistryClient(_store.Images, options).PullAsync(new PullRequest { Reference = "registry.test/team/app:v1" }, null, Cancel);

        Assert.NotNull(_store.Images.TryResolve("registry.test/team/app:v1"));
        Assert.NotEmpty(empty.Requests);
    }

    [Fact]
    public void Rules_send_repositories_where_they_are()
    {
        var resolver = new EndpointResolver(new RegistryOptions
        {
            Mirrors = ["https://mirror.test"],
            InsecureRegistries = ["10.0.0.0/8", "lab.test:5000"],
            Registries = RegistryRules.Parse("""{"a.test/team":{"location":"b.test/moved"},"a.test":{"mirrors":["https://m.test/x"]},"c.test":{"insecure":true}}"""),
        });

        Assert.Equal(["https://mirror.test/v2/library/debian/t", "https://registry-1.docker.io/v2/library/debian/t"], Places("docker.io", "library/debian"));
        Assert.Equal(["https://b.test/v2/moved/app/t"], Places("a.test", "team/app"));
        Assert.Equal(["https://m.test/v2/x/other/t", "https://a.test/v2/other/t"], Places("a.test", "other"));
        Assert.Equal(["https://c.test/v2/d/t", "http://c.test/v2/d/t"], Places("c.test", "d"));
        Assert.Equal(["https://10.1.2.3:5000/v2/d/t", "http://10.1.2.3:5000/v2/d/t"], Places("10.1.2.3:5000", "d"));
        Assert.Equal(["https://localhost:5000/v2/d/t", "http://localhost:5000/v2/d/t"], Places("localhost:5000", "d"));
        Assert.Equal(["https://lab.test/v2/d/t"], Places("lab.test", "d"));

        IEnumerable<string> Places(string domain, string path) => resolver.Resolve(domain, path, forWriting: false).Select(place => place.Of("t").ToString());
    }

    [Theory]
    [InlineData("""{"a.test":{"mirror":[]}}""", "unknown member \"mirror\"")]
    [InlineData("""{"a.test":{"mirrors":["ftp://x"]}}""", "must have the form")]
    [InlineData("""{"https://a.test":{}}""", "must be a registry")]
    [InlineData("""{"*":{"location":"b.test"}}""", "can't have a location")]
    [InlineData("""{"a.test":{"signed-by":["key.pub"]}}""", "absolute")]
    [InlineData("[]", "must be an object")]
    public void Rules_that_make_no_sense_are_refused(string json, string says) =>
        Assert.Contains(says, Assert.ThrowsAny<WherryException>(() => RegistryRules.Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_registry_with_its_own_authority_is_trusted_by_certs_d_alone()
    {
        using var authority = Certificate("CN=test authority", null, isAuthority: true);
        using var server = Certificate("CN=server", authority, isAuthority: false);
        using var client = Certificate("CN=client", authority, isAuthority: false);
        await using var registry = new TestRegistry(server, wantsClientCertificate: true);
        SampleImage.Add(registry, "team/app", "v1", [_layer]);
        var name = $"{registry.Host}/team/app:v1";
        // Loopback would be insecure by default.
        var options = Options() with { CertificateDirectories = [_store.Directory("certs.d")], Registries = new Dictionary<string, RegistryRule> { [registry.Host] = new() { Insecure = false } } };

        var failure = await Assert.ThrowsAnyAsync<WherryException>(() => new RegistryClient(_store.Images, options).PullAsync(new PullRequest { Reference = name }, null, Cancel));
        Assert.Contains("certs.d", failure.Message, StringComparison.Ordinal);
        var directory = Directory.CreateDirectory(Path.Combine(_store.Root, "certs.d", registry.Host)).FullName;
        await File.WriteAllTextAsync(Path.Combine(directory, "ca.crt"), authority.ExportCertificatePem(), Cancel);
        await File.WriteAllTextAsync(Path.Combine(directory, "client.cert"), client.ExportCertificatePem(), Cancel);
        await File.WriteAllTextAsync(Path.Combine(directory, "client.key"), client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), Cancel);

        await new RegistryClient(_store.Images, options).PullAsync(new PullRequest { Reference = name }, null, Cancel);

        Assert.NotNull(_store.Images.TryResolve(name));
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused_whoever_signed_it()
    {
        using var authority = Certificate("CN=test authority", null, isAuthority: true);
        using var server = Certificate("CN=server", authority, isAuthority: false); // for 127.0.0.1, not for localhost
        await using var registry = new TestRegistry(server);
        SampleImage.Add(registry, "team/app", "v1", [_layer]);
        var host = $"localhost:{registry.Port}";
        var options = Options() with { CertificateDirectories = [_store.Directory("certs.d")], Registries = new Dictionary<string, RegistryRule> { [host] = new() { Insecure = false } } };
        var directory = Directory.CreateDirectory(Path.Combine(_store.Root, "certs.d", host)).FullName;
        await File.WriteAllTextAsync(Path.Combine(directory, "ca.crt"), authority.ExportCertificatePem(), Cancel);

        var failure = await Assert.ThrowsAnyAsync<WherryException>(() => new RegistryClient(_store.Images, options).PullAsync(new PullRequest { Reference = $"{host}/team/app:v1" }, null, Cancel));

        Assert.Contains($"at registry {host}", failure.Message, StringComparison.Ordinal);
        Assert.Contains("team/app", failure.Message, StringComparison.Ordinal);
        Assert.Contains("certificate", failure.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(registry.Requests);
    }

    [Fact]
    public async Task What_is_not_signed_by_a_configured_key_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var file = Path.Combine(_store.Root, "team.pub");
        await File.WriteAllTextAsync(file, key.ExportSubjectPublicKeyInfoPem(), Cancel);
        var options = Options() with { Registries = new Dictionary<string, RegistryRule> { [$"{_registry.Host}/team"] = new() { SignedBy = [file] } } };
        var client = new RegistryClient(_store.Images, options);
        var digest = SampleImage.Add(_registry, "team/app", "v1", [_layer]);

        Assert.Contains("is not signed", (await RefusedAsync()).Message, StringComparison.Ordinal);
        Sign(stranger, digest, digest);
        Assert.Contains("no signature by any", (await RefusedAsync()).Message, StringComparison.Ordinal);
        Sign(key, digest, "sha256:" + new string('0', 64));
        Assert.Equal(ErrorKind.Forbidden, (await RefusedAsync()).Kind);
        Sign(key, digest, digest);
        await client.PullAsync(new PullRequest { Reference = Name }, null, Cancel);
        Assert.NotNull(_store.Images.TryResolve(Name));
        SampleImage.Add(_registry, "other/app", "v1", [_layer]);
        await client.PullAsync(new PullRequest { Reference = $"{_registry.Host}/other/app:v1" }, null, Cancel);

        Task<WherryException> RefusedAsync() => Assert.ThrowsAnyAsync<WherryException>(() => client.PullAsync(new PullRequest { Reference = Name }, null, Cancel));
    }

    [Fact]
    public async Task Remote_images_are_described_without_pulling()
    {
        var digest = SampleImage.Add(_registry, "team/app", "v1", [_layer]);

        var image = await Client().DescribeAsync(Name, null, Cancel);

        Assert.Equal(digest, image.Top.Digest);
        Assert.Equal(["linux/amd64"], image.Platforms.Select(platform => platform.ToString()));
        Assert.Equal(["v1"], await Client().ListTagsAsync($"{_registry.Host}/team/app", null, Cancel));
        Assert.Empty(await Client().ListReferrersAsync(Name, null, null, Cancel));
        Assert.Empty(_store.Images.List());
        var none = await Assert.ThrowsAnyAsync<WherryException>(() => Client().SearchAsync($"{_registry.Host}/app", 25, null, Cancel));
        Assert.Equal(ErrorKind.Unsupported, none.Kind);
    }

    private static RegistryOptions Options() => new() { RetryDelay = TimeSpan.FromMilliseconds(1), CertificateDirectories = [] };

    private RegistryClient Client() => new(_store.Images, Options());

    /// <summary>As <c>cosign sign</c> leaves it.</summary>
    private void Sign(ECDsa key, string digest, string says)
    {
        var payload = Encoding.UTF8.GetBytes($$$"""{"critical":{"identity":{"docker-reference":"x"},"image":{"docker-manifest-digest":"{{{says}}}"},"type":"cosign container image signature"},"optional":null}""");
        var signature = Convert.ToBase64String(key.SignData(payload, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        var config = _registry.AddBlob("{}"u8.ToArray());
        _registry.AddBlob(payload);
        _registry.AddManifest("team/app", digest.Replace(':', '-') + ".sig", MediaTypes.OciManifest, $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","config":{"mediaType":"{{{MediaTypes.OciConfig}}}","digest":"{{{config}}}","size":2},"layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","digest":"{{{Digests.Of(payload)}}}","size":{{{payload.Length}}},"annotations":{"dev.cosignproject.cosign/signature":"{{{signature}}}"}}]}""");
    }

    private static X509Certificate2 Certificate(string name, X509Certificate2? issuer, bool isAuthority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var (from, until) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        if (issuer is null)
            return request.CreateSelfSigned(from, until);
        using var made = request.Create(issuer, from, until, RandomNumberGenerator.GetBytes(8));
        return made.CopyWithPrivateKey(key);
    }
}
