using System.Net;
using System.Text.Json;

namespace Wherry.EndToEnd.Tests;

/// <summary><c>wherry registry serve</c> with the clients others wrote: skopeo, podman and docker.</summary>
public sealed class RegistryServerClientTests
{
    [Fact]
    public async Task Skopeo_pushes_and_pulls_an_image_unchanged()
    {
        var skopeo = Binaries.Need("skopeo");
        await using var registry = await PrivateRegistry.StartNewAsync();
        var archive = await BaseImages.ArchiveAsync(BaseImages.Busybox);
        var image = $"docker://{registry.Host}/team/busybox";
        (await Command.RunAsync(skopeo, "copy", "--dest-tls-verify=false", $"docker-archive:{archive}", $"{image}:v1")).Succeeded();

        foreach (var format in new[] { "v2s2", "oci" })
        {
            (await Command.RunAsync(skopeo, "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--format", format, $"{image}:v1", $"{image}:{format}")).Succeeded();
        }

        (await Command.RunAsync(skopeo, "copy", "--src-tls-verify=false", $"{image}:oci", $"dir:{registry.Directory}/pulled")).Succeeded();
        var inspected = (await Command.RunAsync(skopeo, "inspect", "--tls-verify=false", $"{image}:oci")).Succeeded();
        var digest = JsonDocument.Parse(inspected.Output).RootElement.GetProperty("Digest").GetString();
        var manifest = await File.ReadAllBytesAsync(Path.Combine(registry.Directory, "pulled", "manifest.json"), TestContext.Current.CancellationToken);
        Assert.Equal(digest, "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(manifest)));
        var tags = (await Command.RunAsync(skopeo, "list-tags", "--tls-verify=false", image)).Succeeded();
        Assert.Equal(["oci", "v1", "v2s2"], JsonDocument.Parse(tags.Output).RootElement.GetProperty("Tags").EnumerateArray().Select(tag => tag.GetString()));

        // A copy to another repository mounts what is there instead of sending it.
        (await Command.RunAsync(skopeo, "copy", "--src-tls-verify=false", "--dest-tls-verify=false", $"{image}:oci", $"docker://{registry.Host}/other/busybox:v1")).Succeeded();
        (await Command.RunAsync(skopeo, "delete", "--tls-verify=false", $"{image}:oci")).Succeeded();
        (await Command.RunAsync(skopeo, "inspect", "--tls-verify=false", $"{image}:oci")).Refused("manifest unknown");
        (await Command.RunAsync(skopeo, "inspect", "--tls-verify=false", $"docker://{registry.Host}/other/busybox:v1")).Succeeded();
    }

    [Fact]
    public async Task Podman_logs_in_with_a_token_and_pushes_and_pulls()
    {
        var podman = Binaries.Need("podman");
        await using var registry = await PrivateRegistry.StartNewAsync();
        await registry.StopAsync();
        await WriteUsersAsync(Path.Combine(registry.Directory, "users"));
        var config = Path.Combine(registry.Directory, "registry.json");
        await File.WriteAllTextAsync(
            config,
            $$"""
            { "htpasswd": "{{registry.Directory}}/users", "tokens": true,
              "access": [{ "user": "alice", "repositories": "team/*", "actions": ["pull", "push"] },
                         { "user": "", "repositories": "team/*", "actions": ["pull"] }] }
            """,
            TestContext.Current.CancellationToken);
        registry.Options = ["--config", config];
        await registry.StartAsync();

        var archive = await BaseImages.ArchiveAsync(BaseImages.Busybox);
        var auth = Path.Combine(registry.Directory, "auth.json");
        string[] store = ["--root", $"{registry.Directory}/podman", "--runroot", $"{registry.Directory}/podman-run", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"];
        (await Command.RunAsync(podman, [.. store, "load", "-q", "-i", archive])).Succeeded();
        var image = $"{registry.Host}/team/busybox:v1";
        (await Command.RunAsync(podman, [.. store, "push", "--tls-verify=false", "busybox", image])).Refused("unauthorized");
        (await Command.RunAsync(podman, [.. store, "login", "--tls-verify=false", "--authfile", auth, "-u", "alice", "-p", "wrong", registry.Host])).Refused("invalid username/password");
        (await Command.RunAsync(podman, [.. store, "login", "--tls-verify=false", "--authfile", auth, "-u", "alice", "-p", "wonder", registry.Host])).Succeeded();
        (await Command.RunAsync(podman, [.. store, "push", "--tls-verify=false", "--authfile", auth, "busybox", image])).Succeeded();
        (await Command.RunAsync(podman, [.. store, "push", "--tls-verify=false", "--authfile", auth, "busybox", $"{registry.Host}/private/busybox"])).Refused("denied");

        // Pulling is everybody's.
        (await Command.RunAsync(podman, [.. store, "rmi", "-a", "-f"])).Succeeded();
        (await Command.RunAsync(podman, [.. store, "pull", "-q", "--tls-verify=false", image])).Succeeded();
        (await Command.RunAsync(podman, [.. store, "rmi", "-a", "-f"])).Succeeded();
    }

    [Fact]
    public async Task Docker_pushes_and_pulls()
    {
        var dockerd = Binaries.Need("dockerd");
        var archive = await BaseImages.ArchiveAsync(BaseImages.Busybox);
        var directory = Directory.CreateTempSubdirectory("wherry-dockerd-").FullName;
        // Both in one network namespace, which goes with them; files and the socket are the host's.
        var script = $"""
            ip link set lo up
            {Binaries.Wherry} registry serve --listen 127.0.0.1:5000 --root {directory}/root </dev/null >{directory}/registry.log 2>&1 &
            echo $! >{directory}/registry.pid
            exec {dockerd} --data-root {directory}/data --exec-root {directory}/run -H unix://{directory}/docker.sock --pidfile {directory}/docker.pid \
                --bridge none --iptables=false --storage-driver vfs </dev/null >{directory}/dockerd.log 2>&1
            """;
        using var daemon = Command.Start("unshare", ["--net", "/bin/sh", "-c", script], null);
        try
        {
            var docker = new Client(Clients.Docker, Binaries.Docker, $"unix://{directory}/docker.sock");
            await Eventually.TrueAsync(
                async () => daemon.HasExited || (await docker.RunAsync("version")).ExitCode == 0,
                "dockerd answers",
                60);
            Assert.SkipWhen(daemon.HasExited, "dockerd does not start here");
            await docker.TextAsync("load", "-q", "-i", archive);
            await docker.TextAsync("tag", "busybox", "127.0.0.1:5000/team/busybox:v1");
            (await docker.RunAsync("push", "127.0.0.1:5000/team/busybox:v1")).Succeeded();
            var before = await docker.TextAsync("image", "inspect", "--format", "{{.Id}}", "127.0.0.1:5000/team/busybox:v1");
            await docker.TextAsync("rmi", "-f", before);
            (await docker.RunAsync("pull", "127.0.0.1:5000/team/busybox:v1")).Succeeded();
            Assert.Equal(before, await docker.TextAsync("image", "inspect", "--format", "{{.Id}}", "127.0.0.1:5000/team/busybox:v1"));
            (await docker.RunAsync("pull", "127.0.0.1:5000/team/busybox:v2")).Refused("manifest unknown");
        }
        finally
        {
            await Command.ShellAsync($"kill $(cat {directory}/registry.pid); kill $(cat {directory}/docker.pid)");
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            await daemon.WaitForExitAsync(limit.Token);
            await Command.ShellAsync($"grep -o ' {directory}[^ ]*' /proc/self/mountinfo | sort -r | xargs -r umount -l; rm -rf {directory}");
        }
    }

    [Fact]
    public async Task An_engines_images_are_served_to_others()
    {
        var skopeo = Binaries.Need("skopeo");
        await using var engine = await PrivateEngine.StartNewAsync();
        await BaseImages.LoadAsync(engine, BaseImages.Busybox);
        await using var registry = await PrivateRegistry.StartNewAsync("--engine-store", "--data-root", engine.DataRoot);

        foreach (var name in new[] { "busybox", "library/busybox", "docker.io/library/busybox" })
        {
            (await Command.RunAsync(skopeo, "copy", "--src-tls-verify=false", $"docker://{registry.Host}/{name}:latest", $"dir:{registry.Directory}/{name.Replace('/', '-')}")).Succeeded();
        }

        // The engine goes on: what it gets is served, what it removes is not.
        var wherry = engine.Client(Clients.Wherry);
        await wherry.TextAsync("tag", "busybox", "example.com:5000/app:v2");
        (await Command.RunAsync(skopeo, "inspect", "--tls-verify=false", $"docker://{registry.Host}/example.com-5000/app:v2")).Succeeded();
        await wherry.TextAsync("rmi", "busybox:latest");
        await Eventually.TrueAsync(
            async () => (await Command.RunAsync(skopeo, "inspect", "--tls-verify=false", $"docker://{registry.Host}/busybox:latest")).ExitCode != 0,
            "the image is gone");
        using var http = registry.Http();
        using var push = await http.PostAsync("/v2/app/blobs/uploads/", null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, push.StatusCode);
    }

    [Fact]
    public async Task A_cache_serves_what_it_fetched_when_upstream_is_gone()
    {
        var skopeo = Binaries.Need("skopeo");
        await using var upstream = await PrivateRegistry.StartNewAsync();
        await upstream.StopAsync();
        await WriteUsersAsync(Path.Combine(upstream.Directory, "users"));
        upstream.Options = ["--htpasswd", Path.Combine(upstream.Directory, "users"), "--tokens"];
        await upstream.StartAsync();
        var archive = await BaseImages.ArchiveAsync(BaseImages.Busybox);
        (await Command.RunAsync(skopeo, "copy", "--dest-tls-verify=false", "--dest-creds", "alice:wonder", $"docker-archive:{archive}", $"docker://{upstream.Host}/busybox:v1")).Succeeded();

        await File.WriteAllTextAsync(Path.Combine(upstream.Directory, "password"), "wonder\n", TestContext.Current.CancellationToken);
        await using var cache = await PrivateRegistry.StartNewAsync(
            "--proxy", $"http://{upstream.Host}", "--proxy-user", "alice", "--proxy-password-file", Path.Combine(upstream.Directory, "password"));
        (await Command.RunAsync(skopeo, "copy", "--src-tls-verify=false", $"docker://{cache.Host}/busybox:v1", $"dir:{cache.Directory}/first")).Succeeded();
        await upstream.KillAsync();

        (await Command.RunAsync(skopeo, "copy", "--src-tls-verify=false", $"docker://{cache.Host}/busybox:v1", $"dir:{cache.Directory}/second")).Succeeded();
        (await Command.RunAsync("diff", "-r", $"{cache.Directory}/first", $"{cache.Directory}/second")).Succeeded();
    }

    /// <summary>Alice, whose password is "wonder", as <c>htpasswd -B</c> would write her.</summary>
    private static async Task WriteUsersAsync(string path) => (await Command.RunAsync(
        "python3", "-W", "ignore", "-c", $"import crypt\nopen('{path}','w').write('alice:' + crypt.crypt('wonder', crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)) + '\\n')")).Succeeded();
}
