using System.Net;
using System.Security.Cryptography;
using System.Text;
using Wherry.Registry.Authentication;
using Wherry.Registry.Names;

namespace Wherry.Registry.Tests;

/// <summary>Who may do what: passwords, rules and tokens.</summary>
public sealed class AuthenticationTests : IDisposable
{
    private const string Issuer = "test-issuer";
    private const string Service = "test-registry";

    private readonly string _directory = Directory.CreateTempSubdirectory("wherry-auth-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Without_credentials_a_closed_registry_asks_for_them()
    {
        await using var registry = await StartAsync(rules: []);

        using var ping = await registry.Client.SendAsync("GET", "/v2/");
        await ping.FailsWithAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
        Assert.StartsWith("Basic realm=", ping.Header("WWW-Authenticate"), StringComparison.Ordinal);

        using var push = await registry.Client.SendAsync("POST", "/v2/app/blobs/uploads/", []);
        await push.FailsWithAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");

        using var health = await registry.Client.SendAsync("GET", "/healthz");
        await health.HasStatusAsync(HttpStatusCode.OK);
        using var metrics = await registry.Client.SendAsync("GET", "/metrics");
        await metrics.HasStatusAsync(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task The_right_password_opens_and_a_wrong_one_does_not()
    {
        await using var registry = await StartAsync(rules: []);

        using var right = await registry.Client.SendAsync("GET", "/v2/", headers: Basic("alice", "wonder"));
        await right.HasStatusAsync(HttpStatusCode.OK);
        using var again = await registry.Client.SendAsync("GET", "/v2/", headers: Basic("alice", "wonder"));
        await again.HasStatusAsync(HttpStatusCode.OK);
        foreach (var (user, password) in new[] { ("alice", "wonder2"), ("alice", ""), ("nobody", "wonder") })
        {
            using var wrong = await registry.Client.SendAsync("GET", "/v2/", headers: Basic(user, password));
            await wrong.FailsWithAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
        }

        using var malformed = await registry.Client.SendAsync("GET", "/v2/", headers: ("Authorization", "Basic !!!"));
        await malformed.HasStatusAsync(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_changed_password_file_is_noticed()
    {
        await using var registry = await StartAsync(rules: []);
        var file = Path.Combine(_directory, "htpasswd");
        using var before = await registry.Client.SendAsync("GET", "/v2/", headers: Basic("alice", "wonder"));
        await before.HasStatusAsync(HttpStatusCode.OK);

        await File.WriteAllTextAsync(file, "carol:" + Hash("new"), TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddSeconds(5));

        using var gone = await registry.Client.SendAsync("GET", "/v2/", headers: Basic("alice", "wonder"));
        await gone.HasStatusAsync(HttpStatusCode.Unauthorized);
        using var came = await registry.Client.SendAsync("GET", "/v2/", headers: Basic("carol", "new"));
        await came.HasStatusAsync(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=")]
    [InlineData("alice:$apr1$x$y")]
    [InlineData("alice:plain")]
    [InlineData("no colon")]
    public void Passwords_that_are_no_protection_are_refused_at_the_start(string line)
    {
        var file = Path.Combine(_directory, "bad");
        File.WriteAllText(file, line);

        var failure = Assert.Throws<Errors.WherryException>(() => HtpasswdFile.Open(file));
        Assert.Contains("line 1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_give_each_user_their_repositories()
    {
        await using var registry = await StartAsync(
            [
                new AccessRule("alice", RepositoryPattern.All, RepositoryAction.All),
                new AccessRule("bob", new RepositoryPattern("team/*"), RepositoryAction.Pull | RepositoryAction.Push),
                new AccessRule("", new RepositoryPattern("public/**"), RepositoryAction.Pull),
            ]);
        var alice = Authorized(registry, "alice", "wonder");
        var bob = Authorized(registry, "bob", "builder");
        await alice.PushImageAsync("public/base", "v1");
        await alice.PushImageAsync("private/app", "v1");
        var image = await bob.PushImageAsync("team/app", "v1");

        // Bob can't delete what he can push, nor touch what isn't his.
        using var delete = await bob.SendAsync("DELETE", $"/v2/team/app/manifests/{image.Digest}");
        await delete.FailsWithAsync(HttpStatusCode.Forbidden, "DENIED");
        using var pull = await bob.SendAsync("GET", "/v2/private/app/manifests/v1");
        await pull.FailsWithAsync(HttpStatusCode.Forbidden, "DENIED");
        using var deeper = await bob.SendAsync("POST", "/v2/team/app/deeper/blobs/uploads/", []);
        await deeper.FailsWithAsync(HttpStatusCode.Forbidden, "DENIED");
        using var collect = await bob.SendAsync("POST", "/_wherry/collect", []);
        await collect.FailsWithAsync(HttpStatusCode.Forbidden, "DENIED");

        // A mount must not smuggle out what can't be pulled, named or guessed.
        var digest = Pushing.DigestOf(Pushing.Text("secret"));
        await alice.PushBlobAsync("private/app", Pushing.Text("secret"));
        foreach (var query in new[] { $"mount={digest}&from=private/app", $"mount={digest}" })
        {
            using var mount = await bob.SendAsync("POST", $"/v2/team/app/blobs/uploads/?{query}", []);
            await mount.HasStatusAsync(HttpStatusCode.Accepted);
        }

        // Nobody in particular sees what is public, and only that.
        using var open = await registry.Client.SendAsync("GET", "/v2/public/base/manifests/v1");
        await open.HasStatusAsync(HttpStatusCode.OK);
        using var push = await registry.Client.SendAsync("POST", "/v2/public/base/blobs/uploads/", []);
        await push.FailsWithAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
        using var catalog = await bob.SendAsync("GET", "/v2/_catalog");
        Assert.Equal(["public/base", "team/app"], (await catalog.JsonAsync()).GetProperty("repositories").EnumerateArray().Select(name => name.GetString()));
    }

    [Fact]
    public async Task Tokens_carry_what_was_asked_for_and_is_the_users()
    {
        await using var registry = await StartAsync(
            [
                new AccessRule("alice", RepositoryPattern.All, RepositoryAction.All),
                new AccessRule("bob", new RepositoryPattern("team/*"), RepositoryAction.Pull),
            ],
            tokens: true);
        using var ping = await registry.Client.SendAsync("GET", "/v2/");
        await ping.HasStatusAsync(HttpStatusCode.Unauthorized);
        Assert.Equal($"Bearer realm=\"http://{registry.Host}/token\",service=\"{Service}\"", ping.Header("WWW-Authenticate"));
        using var push = await registry.Client.SendAsync("POST", "/v2/team/app/blobs/uploads/", []);
        Assert.EndsWith(",scope=\"repository:team/app:pull,push\"", push.Header("WWW-Authenticate"), StringComparison.Ordinal);

        var forAlice = await TokenAsync(registry, "repository:team/app:pull,push", "alice", "wonder");
        using var authorized = registry.NewClient();
        authorized.DefaultRequestHeaders.Add("Authorization", "Bearer " + forAlice);
        await authorized.PushImageAsync("team/app", "v1");
        using var elsewhere = await authorized.SendAsync("GET", "/v2/other/tags/list");
        await elsewhere.FailsWithAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
        Assert.Contains("error=\"insufficient_scope\"", elsewhere.Header("WWW-Authenticate"), StringComparison.Ordinal);

        var forBob = await TokenAsync(registry, "repository:team/app:pull,push,delete", "bob", "builder");
        using var pull = await registry.Client.SendAsync("GET", "/v2/team/app/manifests/v1", headers: ("Authorization", "Bearer " + forBob));
        await pull.HasStatusAsync(HttpStatusCode.OK);
        using var refused = await registry.Client.SendAsync("DELETE", "/v2/team/app/manifests/v1", headers: ("Authorization", "Bearer " + forBob));
        await refused.HasStatusAsync(HttpStatusCode.Unauthorized);

        using var wrong = await registry.Client.SendAsync("GET", $"/token?service={Service}", headers: Basic("bob", "wrong"));
        await wrong.HasStatusAsync(HttpStatusCode.Unauthorized);
        using var form = await registry.Client.SendAsync(
            "POST",
            "/token",
            Pushing.Text($"grant_type=password&username=bob&password=builder&service={Service}&scope=repository:team/app:pull"),
            "application/x-www-form-urlencoded");
        await form.HasStatusAsync(HttpStatusCode.OK);
        Assert.NotEmpty((await form.JsonAsync()).GetProperty("access_token").GetString()!);
    }

    [Fact]
    public async Task Tokens_of_others_are_checked_in_every_respect()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        var keys = Path.Combine(_directory, "keys.pem");
        await File.WriteAllTextAsync(keys, key.ExportSubjectPublicKeyInfoPem() + "\n" + rsa.ExportSubjectPublicKeyInfoPem(), TestContext.Current.CancellationToken);
        var verifier = new TokenVerifier(TokenKeys.Read(keys), Issuer, Service);
        var later = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds();
        var past = DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeSeconds();
        string Claims(string issuer = Issuer, string audience = $"\"{Service}\"", long? expires = null, long? from = null) =>
            $$"""{"iss":"{{issuer}}","sub":"ci","aud":{{audience}},"exp":{{expires ?? later}},"nbf":{{from ?? past}},"access":[{"type":"repository","name":"app","actions":["pull"]}]}""";

        var good = verifier.Verify(Sign(key, "ES256", Claims()));
        Assert.Equal("ci", good?.Name);
        Assert.True(good!.May("app", RepositoryAction.Pull));
        Assert.False(good.May("app", RepositoryAction.Push));
        Assert.False(good.May("other", RepositoryAction.Pull));
        Assert.NotNull(verifier.Verify(Sign(key, "ES256", Claims(audience: $"[\"x\",\"{Service}\"]"))));
        var body = Encode("""{"alg":"RS256"}""") + "." + Encode(Claims());
        Assert.NotNull(verifier.Verify($"{body}.{Encode(rsa.SignData(Encoding.ASCII.GetBytes(body), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}"));

        Assert.Null(verifier.Verify(Sign(stranger, "ES256", Claims())));
        Assert.Null(verifier.Verify(Sign(key, "ES384", Claims())));
        Assert.Null(verifier.Verify(Sign(key, "none", Claims())));
        Assert.Null(verifier.Verify(Sign(key, "ES256", Claims(issuer: "another"))));
        Assert.Null(verifier.Verify(Sign(key, "ES256", Claims(audience: "\"another\""))));
        Assert.Null(verifier.Verify(Sign(key, "ES256", Claims(expires: past))));
        Assert.Null(verifier.Verify(Sign(key, "ES256", Claims(from: later))));
        Assert.Null(verifier.Verify(Encode("""{"alg":"none"}""") + "." + Encode(Claims()) + "."));
        Assert.Null(verifier.Verify(Sign(key, "ES256", Claims())[..^4] + "AAAA"));
        Assert.Null(verifier.Verify("not.a.token"));
        Assert.Null(verifier.Verify(""));
    }

    [Theory]
    [InlineData("**", "a/b/c", true)]
    [InlineData("team/*", "team/app", true)]
    [InlineData("team/*", "team/app/deeper", false)]
    [InlineData("team/**", "team/app/deeper", true)]
    [InlineData("team/**", "teams/app", false)]
    [InlineData("*/app", "team/app", true)]
    [InlineData("*-dev", "x-dev", true)]
    [InlineData("app", "app2", false)]
    public void Patterns_match_within_components_or_across_them(string pattern, string name, bool matches) =>
        Assert.Equal(matches, new RepositoryPattern(pattern).Matches(name));

    private async Task<RunningRegistry> StartAsync(AccessRule[] rules, bool tokens = false)
    {
        var file = Path.Combine(_directory, "htpasswd");
        await File.WriteAllTextAsync(file, $"# people\nalice:{Hash("wonder")}\n\nbob:{Hash("builder")}\n", TestContext.Current.CancellationToken);
        var access = new AccessRules(rules);
        var options = new GatekeeperOptions { Passwords = HtpasswdFile.Open(file), Rules = access, Service = Service };
        if (tokens)
        {
            var key = TokenKeys.ReadOrMake(Path.Combine(_directory, "key.pem"));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_directory, "key.pem")));
            options = options with
            {
                Issuer = new TokenIssuer(key, access, Issuer, Service, TimeSpan.FromMinutes(5)),
                Verifier = new TokenVerifier(TokenKeys.Of(key), Issuer, Service),
            };
        }

        return await RunningRegistry.StartAsync(setup => setup.Server = (server, _) => server with { Authentication = options });
    }

    /// <summary>A bcrypt hash of the lowest cost, as <c>htpasswd -B -C 4</c> makes it.</summary>
    private static string Hash(string password) => password switch
    {
        "wonder" => Hashes.Value[0],
        "builder" => Hashes.Value[1],
        _ => Hashes.Value[2],
    };

    private static readonly Lazy<string[]> Hashes = new(() =>
    {
        // The peer that makes the hashes is Python's crypt, over the same C library as everybody's.
        using var python = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("python3")
        {
            ArgumentList = { "-W", "ignore", "-c", "import crypt\nfor p in ('wonder','builder','new'): print(crypt.crypt(p, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))" },
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        return python.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    });

    private static HttpClient Authorized(RunningRegistry registry, string user, string password)
    {
        var client = registry.NewClient();
        var (name, value) = Basic(user, password);
        client.DefaultRequestHeaders.Add(name, value);
        return client;
    }

    private static (string Name, string Value) Basic(string user, string password) =>
        ("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    private static async Task<string> TokenAsync(RunningRegistry registry, string scope, string user, string password)
    {
        using var answer = await registry.Client.SendAsync("GET", $"/token?service={Service}&scope={Uri.EscapeDataString(scope)}", headers: Basic(user, password));
        await answer.HasStatusAsync(HttpStatusCode.OK);
        return (await answer.JsonAsync()).GetProperty("token").GetString()!;
    }

    private static string Sign(ECDsa key, string algorithm, string claims)
    {
        var text = Encode($$"""{"typ":"JWT","alg":"{{algorithm}}"}""") + "." + Encode(claims);
        return $"{text}.{Encode(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256))}";
    }

    private static string Encode(string text) => Encode(Encoding.UTF8.GetBytes(text));

    private static string Encode(byte[] data) => System.Buffers.Text.Base64Url.EncodeToString(data);
}
