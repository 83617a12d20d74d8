using System.Text.Json;

namespace Wherry.EndToEnd.Tests;

/// <summary>images, tag, rmi, history, and inspect of an image.</summary>
public sealed class ImageTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task Images_are_listed_with_their_tags(string client)
    {
        var table = await Client(client).TextAsync("images");

        Assert.Contains("REPOSITORY", table, StringComparison.Ordinal);
        Assert.Matches(@"busybox\s+latest", table);
        Assert.Matches("^[0-9a-f]{12}$", (await Client(client).RunAsync("images", "-q", "busybox")).Lines[0]);
        Assert.Matches("^sha256:[0-9a-f]{64}$", (await Client(client).RunAsync("images", "-q", "--no-trunc", "busybox:latest")).Lines[0]);
        Assert.Empty((await Client(client).RunAsync("images", "-q", "no-such-image")).Lines);
        Assert.Equal(["busybox:latest"], (await Client(client).RunAsync("images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=busybox:latest")).Lines);
    }

    [Theory, BothClients]
    public async Task A_tag_is_another_name_and_goes_alone(string client)
    {
        var tag = Harness.Client.NewName("berth") + ":v1";
        await Client(client).TextAsync("tag", "busybox", tag);
        Assert.Equal(await IdAsync(client, "busybox"), await IdAsync(client, tag));

        Assert.Contains("Untagged: " + tag, await Client(client).TextAsync("rmi", tag), StringComparison.Ordinal);

        (await Client(client).RunAsync("image", "inspect", tag)).Refused(tag);
        await IdAsync(client, "busybox");
        (await Client(client).RunAsync("tag", "no-such-image", "x")).Refused("no-such-image");
        (await Client(client).RunAsync("tag", "busybox", "UPPER:x")).Refused("UPPER");
    }

    [Fact]
    public async Task A_list_tells_shared_sizes_and_manifests_where_asked_for()
    {
        var name = Harness.Client.NewName("sharing");
        var id = await Docker.TextAsync("create", "busybox", "true");
        await Docker.TextAsync("cp", "/etc/hostname", $"{id}:/added");
        await Docker.TextAsync("commit", id, name);
        using var rest = Engine.Rest();
        async Task<JsonElement> RowAsync(string query) => (await rest.GetAsync($"/v1.48/images/json?{query}")).Json.EnumerateArray().Single(row => row.GetProperty("RepoTags").EnumerateArray().Any(tag => tag.GetString() == name + ":latest"));

        var plain = await RowAsync("");
        Assert.Equal(-1, plain.GetProperty("SharedSize").GetInt64());
        Assert.False(plain.TryGetProperty("Manifests", out _));
        var row = await RowAsync("shared-size=1&manifests=1");
        var below = (await rest.GetAsync("/images/busybox/json")).Json.GetProperty("Size").GetInt64();
        Assert.Equal(below, row.GetProperty("SharedSize").GetInt64());
        var manifest = Assert.Single(row.GetProperty("Manifests").EnumerateArray());
        Assert.Equal("image", manifest.GetProperty("Kind").GetString());
        Assert.True(manifest.GetProperty("Available").GetBoolean());
        Assert.Equal(manifest.GetProperty("ID").GetString(), manifest.GetProperty("Descriptor").GetProperty("digest").GetString());
        var size = row.GetProperty("Size").GetInt64();
        Assert.Equal(size, manifest.GetProperty("ImageData").GetProperty("Size").GetProperty("Unpacked").GetInt64());
        Assert.Equal(size, manifest.GetProperty("Size").GetProperty("Total").GetInt64() - manifest.GetProperty("Size").GetProperty("Content").GetInt64());
        Assert.Equal("linux", manifest.GetProperty("ImageData").GetProperty("Platform").GetProperty("os").GetString());
        Assert.Single((await rest.GetAsync($"/v1.48/images/{name}/json?manifests=1")).Json.GetProperty("Manifests").EnumerateArray());
        Assert.False((await rest.GetAsync("/v1.46/images/json?manifests=1")).Json[0].TryGetProperty("Manifests", out _));
        await Docker.RemoveAsync(id);
        await Docker.TextAsync("rmi", name);
    }

    [Theory, BothClients]
    public async Task An_image_in_use_is_not_removed_and_the_error_names_the_container(string client)
    {
        var image = Harness.Client.NewName("used");
        var parent = await Client(client).TextAsync("create", "busybox", "true");
        await Client(client).TextAsync("commit", "--change", "LABEL one=1", parent, image);
        var id = await Client(client).TextAsync("create", image, "true");

        (await Client(client).RunAsync("rmi", image)).Refused(id[..12]);
        Assert.NotEqual("", await IdAsync(client, image));

        await Client(client).RemoveAsync(id, parent);
        Assert.Contains("Deleted: sha256:", await Client(client).TextAsync("rmi", image), StringComparison.Ordinal);
    }

    [Theory, BothClients]
    public async Task An_unknown_image_and_a_bad_reference_are_told_apart(string client)
    {
        (await Client(client).RunAsync("rmi", "no-such-image")).Refused("no-such-image");
        (await Client(client).RunAsync("create", "Bad Reference", "true")).Refused("invalid reference format");
        (await Client(client).RunAsync("create", "busybox:bad tag", "true")).Refused("invalid reference format");
        (await Client(client).RunAsync("history", "no-such-image")).Refused("no-such-image");
    }

    [Theory, BothClients]
    public async Task History_tells_how_an_image_came_to_be(string client)
    {
        var image = Harness.Client.NewName("story");
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "echo x > /written");
        await Client(client).TextAsync("wait", id);
        await Client(client).TextAsync("commit", "-m", "wrote a file", id, image);

        var history = await Client(client).TextAsync("history", image);
        Assert.Contains("IMAGE", history, StringComparison.Ordinal);
        Assert.Contains("wrote a file", history, StringComparison.Ordinal);
        Assert.True((await Client(client).RunAsync("history", "-q", image)).Lines.Length >= 2);
        await Client(client).RemoveAsync(id);
        await Client(client).TextAsync("rmi", image);
    }

    [Theory, BothClients]
    public async Task Inspect_shows_configuration_and_layers(string client)
    {
        var json = JsonDocument.Parse(await Client(client).TextAsync("image", "inspect", "busybox")).RootElement[0];

        Assert.StartsWith("sha256:", json.GetProperty("Id").GetString(), StringComparison.Ordinal);
        Assert.Contains(json.GetProperty("RepoTags").EnumerateArray(), tag => tag.GetString() == "busybox:latest");
        Assert.Equal("linux", json.GetProperty("Os").GetString());
        Assert.True(json.GetProperty("Size").GetInt64() > 500_000);
        Assert.Equal(1, json.GetProperty("RootFS").GetProperty("Layers").GetArrayLength());
    }

    [Theory, BothClients]
    public async Task Images_are_found_by_id_and_unique_prefix(string client)
    {
        var id = await IdAsync(client, "busybox");

        foreach (var reference in new[] { id, id["sha256:".Length..], id["sha256:".Length..][..12], "busybox:latest", "docker.io/library/busybox" })
        {
            Assert.Equal(id, await IdAsync(client, reference));
        }
    }

    private Task<string> IdAsync(string client, string image) => Client(client).TextAsync("image", "inspect", "--format", "{{.Id}}", image);
}
