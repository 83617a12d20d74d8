using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Wherry.EndToEnd.Tests;

/// <summary><c>wherry registry serve</c> when things go wrong, and under a heavy load.</summary>
public sealed class RegistryServerFaultTests
{
    [Fact]
    public async Task The_command_becomes_the_registry_and_stops_when_told()
    {
        await using var registry = await PrivateRegistry.StartNewAsync();

        var words = (await File.ReadAllTextAsync($"/proc/{registry.ProcessId}/cmdline", TestContext.Current.CancellationToken)).Split('\0');
        Assert.EndsWith("wherryd", words[0], StringComparison.Ordinal);
        Assert.Equal(["registry", "serve"], words[1..3]);
        (await Command.RunAsync(Binaries.Wherry, "registry", "serve", "--root", registry.Root)).Refused("another registry uses");
        Assert.Equal(0, await registry.StopAsync());
        (await Command.RunAsync(Binaries.Wherry, "registry", "serve", "--nothing")).Failed(1, "unknown flag: --nothing");
        (await Command.RunAsync(Binaries.Wherry, "registry", "serve", "--root", $"{registry.Root}/other", "--data-root", registry.Root)).Failed(1, "data-root needs engine-store");
        (await Command.RunAsync(Binaries.Wherry, "registry", "serve", "--root", $"{registry.Root}/other", "--proxy-ca", "/etc/passwd")).Failed(1, "proxy-user and proxy-ca need proxy");
        Assert.False(Directory.Exists($"{registry.Root}/other"));
        Assert.Contains("--htpasswd FILE", (await Command.RunAsync(Binaries.Wherry, "registry", "serve", "--help")).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_during_an_upload_it_shows_nothing_of_it_and_takes_it_the_second_time()
    {
        await using var registry = await PrivateRegistry.StartNewAsync();
        var content = RandomNumberGenerator.GetBytes(8 << 20);
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
        for (var round = 0; round < 3; round++)
        {
            using var socket = await registry.ConnectAsync();
            await socket.SendAsync(Encoding.ASCII.GetBytes(
                string.Create(CultureInfo.InvariantCulture, $"POST /v2/app/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\nContent-Length: {content.Length}\r\n\r\n")));
            await socket.SendAsync(content.AsMemory(0, content.Length / 2));
            await Eventually.TrueAsync(() => Uploaded(registry) > 0, "half of the blob has arrived");
            await registry.KillAsync();
            await registry.StartAsync();

            Assert.Equal(0, Uploaded(registry));
            Assert.Empty(Directory.EnumerateFiles(Path.Combine(registry.Root, "blobs", "sha256")));
            using var http = registry.Http();
            using var head = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/v2/app/blobs/{digest}"), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
        }

        await PushAsync(registry, content, digest, HttpStatusCode.Created);
    }

    [Fact]
    public async Task Killed_at_any_moment_of_many_pushes_it_gives_only_what_is_whole()
    {
        await using var registry = await PrivateRegistry.StartNewAsync();
        var pushed = new List<string>();
        for (var round = 0; round < 5; round++)
        {
            using var stop = new CancellationTokenSource();
            var pushing = Enumerable.Range(0, 3).Select(_ => PushUntilAsync(registry, pushed, stop.Token)).ToArray();
            var before = pushed.Count;
            await Eventually.TrueAsync(() => pushed.Count >= before + 5, "some images were pushed", 60);
            await registry.KillAsync();
            await stop.CancelAsync();
            await Task.WhenAll(pushing);
            await registry.StartAsync();
        }

        // What was acknowledged is there and whole; and whatever else is there is whole as well.
        using var http = registry.Http();
        using var list = System.Text.Json.JsonDocument.Parse(await http.GetStringAsync("/v2/app/tags/list", TestContext.Current.CancellationToken));
        var tags = list.RootElement.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!).ToHashSet(StringComparer.Ordinal);
        Assert.Subset(tags, pushed.ToHashSet(StringComparer.Ordinal));
        foreach (var tag in tags)
        {
            using var manifest = System.Text.Json.JsonDocument.Parse(await http.GetStringAsync($"/v2/app/manifests/{tag}", TestContext.Current.CancellationToken));
            var digest = manifest.RootElement.GetProperty("config").GetProperty("digest").GetString();
            var blob = await http.GetByteArrayAsync($"/v2/app/blobs/{digest}", TestContext.Current.CancellationToken);
            Assert.Equal(digest, "sha256:" + Convert.ToHexStringLower(SHA256.HashData(blob)));
        }

        // What was cut off goes with the first collection that finds it older than the grain of file times.
        await Eventually.TrueAsync(
            async () =>
            {
                using var collect = await http.PostAsync("/_wherry/collect?grace=0", null, TestContext.Current.CancellationToken);
                Assert.Equal(HttpStatusCode.OK, collect.StatusCode);
                return Directory.EnumerateFiles(Path.Combine(registry.Root, "blobs", "sha256")).Count() == tags.Count * 2;
            },
            "only what is tagged is left");
    }

    [Fact]
    public async Task A_full_disk_refuses_the_push_keeps_the_rest_and_gives_the_space_back()
    {
        var mount = $"/var/tmp/wherry-e2e/registry-{Environment.ProcessId}";
        Directory.CreateDirectory(mount);
        (await Command.RunAsync("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mount)).Succeeded();
        try
        {
            await using var registry = await PrivateRegistry.StartInAsync(Path.Combine(mount, "root"));
            var small = RandomNumberGenerator.GetBytes(1 << 20);
            var smallDigest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(small));
            await PushAsync(registry, small, smallDigest, HttpStatusCode.Created);
            var large = RandomNumberGenerator.GetBytes(32 << 20);
            await PushAsync(registry, large, "sha256:" + Convert.ToHexStringLower(SHA256.HashData(large)), HttpStatusCode.InsufficientStorage);

            Assert.Equal(0, Uploaded(registry));
            using var http = registry.Http();
            Assert.Equal(small, await http.GetByteArrayAsync($"/v2/app/blobs/{smallDigest}", TestContext.Current.CancellationToken));
            var fits = RandomNumberGenerator.GetBytes(8 << 20);
            await PushAsync(registry, fits, "sha256:" + Convert.ToHexStringLower(SHA256.HashData(fits)), HttpStatusCode.Created);
        }
        finally
        {
            await Command.RunAsync("umount", "-l", mount);
            Directory.Delete(mount);
        }
    }

    [Fact]
    public async Task Memory_stays_flat_while_a_large_blob_goes_in_and_out()
    {
        const int size = 768 << 20;
        await using var registry = await PrivateRegistry.StartNewAsync();
        // A hole costs no disk to read from; the registry writes all of it.
        var source = Path.Combine(registry.Directory, "large");
        (await Command.RunAsync("truncate", "-s", size.ToString(CultureInfo.InvariantCulture), source)).Succeeded();
        var digest = "sha256:" + (await Command.RunAsync("sha256sum", source)).Succeeded().Text.Split(' ')[0];

        using var http = registry.Http();
        using var begin = await http.PostAsync("/v2/app/blobs/uploads/", null, TestContext.Current.CancellationToken);
        (await Command.RunAsync("curl", "-sSf", "-T", source, $"http://{registry.Host}{begin.Headers.Location}?digest={digest}")).Succeeded();
        (await Command.RunAsync("curl", "-sSf", "-o", "/dev/null", $"http://{registry.Host}/v2/app/blobs/{digest}")).Succeeded();

        var status = await File.ReadAllLinesAsync($"/proc/{registry.ProcessId}/status", TestContext.Current.CancellationToken);
        var peak = int.Parse(status.First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        Assert.InRange(peak, 1, 100 * 1024);
    }

    private static long Uploaded(PrivateRegistry registry) =>
        new DirectoryInfo(Path.Combine(registry.Root, "uploads")).EnumerateFiles().Sum(file => file.Length);

    private static async Task PushAsync(PrivateRegistry registry, byte[] content, string digest, HttpStatusCode status)
    {
        using var http = registry.Http();
        http.DefaultRequestHeaders.ExpectContinue = true; // an early refusal is then read, not lost in a reset
        using var begin = await http.PostAsync("/v2/app/blobs/uploads/", null, TestContext.Current.CancellationToken);
        var location = begin.Headers.Location!.OriginalString;
        for (var offset = 0; offset < content.Length; offset += 1 << 20)
        {
            using var patch = await http.PatchAsync(location, new ByteArrayContent(content, offset, Math.Min(1 << 20, content.Length - offset)), TestContext.Current.CancellationToken);
            if (patch.StatusCode != HttpStatusCode.Accepted)
            {
                Assert.Equal(status, patch.StatusCode);
                return;
            }
        }

        using var put = await http.PutAsync($"{location}?digest={digest}", null, TestContext.Current.CancellationToken);
        Assert.Equal(status, put.StatusCode);
    }

    /// <summary>Pushes one small image after the other until the registry is gone; notes those that were acknowledged.</summary>
    private static async Task PushUntilAsync(PrivateRegistry registry, List<string> pushed, CancellationToken stop)
    {
        using var http = registry.Http();
        try
        {
            while (!stop.IsCancellationRequested)
            {
                var config = Encoding.ASCII.GetBytes($"{{\"id\":\"{Guid.NewGuid()}\"}}");
                var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(config));
                using var blob = await http.PostAsync($"/v2/app/blobs/uploads/?digest={digest}", new ByteArrayContent(config), stop);
                Assert.Equal(HttpStatusCode.Created, blob.StatusCode);
                var tag = "t" + digest[^16..];
                using var manifest = new ByteArrayContent(Encoding.ASCII.GetBytes(
                    $$"""{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{digest}}","size":{{config.Length}}},"layers":[]}"""));
                manifest.Headers.ContentType = new("application/vnd.oci.image.manifest.v1+json");
                using var put = await http.PutAsync($"/v2/app/manifests/{tag}", manifest, stop);
                Assert.Equal(HttpStatusCode.Created, put.StatusCode);
                lock (pushed)
                {
                    pushed.Add(tag);
                }
            }
        }
        catch (Exception gone) when (gone is HttpRequestException or SocketException or IOException or OperationCanceledException)
        {
            // It was killed in the middle, as it should be.
        }
    }
}
