using System.Text.Json;

namespace Wherry.EndToEnd.Tests;

/// <summary>Artifacts and indexes through the command line, at Debian's registry (which lists no referrers) and at our own (which does).</summary>
public sealed class ArtifactTests(EngineFixture fixture) : EngineTests(fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_bill_of_materials_hangs_on_an_image_and_is_found_by_it(bool debians)
    {
        await using var debian = debians ? await DebianRegistry.StartAsync() : null;
        await using var own = debians ? null : await PrivateRegistry.StartNewAsync();
        var repository = $"{debian?.Host ?? own!.Host}/team/app";
        await Docker.TextAsync("tag", "busybox", $"{repository}:v1");
        await Docker.TextAsync("push", $"{repository}:v1");
        var directory = HostDirectory();
        await File.WriteAllTextAsync(Path.Combine(directory, "sbom.json"), "{\"packages\":[]}", Cancel);
        Directory.CreateDirectory(Path.Combine(directory, "back"));

        var pushed = await Wherry.TextAsync("artifact", "push", "--type", "application/spdx+json", "--subject", "v1", "--annotation", "by=test", repository, $"{directory}/sbom.json:application/spdx+json");
        var name = pushed.Split('\n')[0];
        using var listed = JsonDocument.Parse(await Wherry.TextAsync("image", "referrers", "--format", "json", $"{repository}:v1"));
        await Wherry.TextAsync("artifact", "pull", "-o", $"{directory}/back", name);

        Assert.Contains($"digest: {name.Split('@')[1]} size: ", pushed, StringComparison.Ordinal);
        Assert.Contains("application/spdx+json", listed.RootElement.ToString(), StringComparison.Ordinal);
        Assert.Contains(name.Split('@')[1], listed.RootElement.ToString(), StringComparison.Ordinal);
        Assert.Equal("{\"packages\":[]}", await File.ReadAllTextAsync(Path.Combine(directory, "back", "sbom.json"), Cancel));
        (await Wherry.RunAsync("pull", name)).Refused("'wherry artifact pull' gets its files");
        (await Wherry.RunAsync("artifact", "pull", $"{repository}:v1")).Refused("is an image, not an artifact");
        (await Wherry.RunAsync("artifact", "push", repository, directory)).Refused("is a directory");
        (await Wherry.RunAsync("artifact", "push", repository, $"{directory}/none")).Refused("no such file");
        await Docker.TextAsync("rmi", $"{repository}:v1");
    }

    [Fact]
    public async Task Images_are_joined_to_one_name_and_others_copy_it_whole()
    {
        var skopeo = Binaries.Need("skopeo");
        await using var registry = await DebianRegistry.StartAsync();
        var app = $"{registry.Host}/team/app";
        await Docker.TextAsync("tag", "busybox", $"{app}:amd64");
        await Docker.TextAsync("push", $"{app}:amd64");
        // The same files for another platform, in another repository.
        var root = Path.Combine(HostDirectory(), "root.tar");
        var container = await Docker.TextAsync("create", "busybox");
        await Docker.TextAsync("export", "-o", root, container);
        await Docker.TextAsync("rm", container);
        await Docker.TextAsync("import", "--platform", "linux/arm64", root, $"{registry.Host}/team/arm:v1");
        await Docker.TextAsync("push", $"{registry.Host}/team/arm:v1");

        await Wherry.TextAsync("manifest", "create", $"{app}:all", $"{app}:amd64", $"{registry.Host}/team/arm:v1");

        using var index = JsonDocument.Parse(await Wherry.TextAsync("manifest", "inspect", $"{app}:all"));
        Assert.Equal(["amd64", "arm64"], index.RootElement.GetProperty("manifests").EnumerateArray().Select(entry => entry.GetProperty("platform").GetProperty("architecture").GetString()));
        (await Command.RunAsync(skopeo, "copy", "-q", "--all", "--src-tls-verify=false", $"docker://{app}:all", $"dir:{HostDirectory()}")).Succeeded();
        await Docker.TextAsync("pull", "--platform", "linux/arm64", $"{app}:all");
        Assert.Equal("arm64", await Docker.TextAsync("image", "inspect", "-f", "{{.Architecture}}", $"{app}:all"));
        (await Wherry.RunAsync("manifest", "create", $"{app}:twice", $"{app}:all", $"{app}:none")).Refused("not found");
        await Docker.TextAsync("rmi", $"{app}:amd64", $"{app}:all", $"{registry.Host}/team/arm:v1");
    }
}
