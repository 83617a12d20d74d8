using System.Text.Json;

namespace Wherry.EndToEnd.Tests;

/// <summary>save, load and import.</summary>
public sealed class ArchiveTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task What_is_saved_loads_as_the_same_image(string client)
    {
        var tag = Harness.Client.NewName("cargo") + ":v1";
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "mkdir -p /d; echo content > /d/f; chmod 4711 /d/f; ln /d/f /d/hard; ln -s f /d/soft; rm /etc/group; mkfifo /d/pipe; mknod /d/null c 1 3");
        Assert.Equal("0", await Client(client).TextAsync("wait", id));
        await Client(client).TextAsync("commit", "-c", "CMD [\"cat\", \"/d/f\"]", id, tag);
        var image = await Client(client).TextAsync("image", "inspect", "-f", "{{.Id}}", tag);
        var archive = Path.Combine(HostDirectory(), "image.tar");

        await Client(client).TextAsync("save", "-o", archive, tag);
        Assert.Contains("manifest.json", TarBytes.Names(archive));
        await Client(client).RemoveAsync(id);
        await Client(client).TextAsync("rmi", tag);
        (await Client(client).RunAsync("image", "inspect", tag)).Refused(tag);

        Assert.Contains("Loaded image: " + tag, await Client(client).TextAsync("load", "-i", archive), StringComparison.Ordinal);
        Assert.Equal(image, await Client(client).TextAsync("image", "inspect", "-f", "{{.Id}}", tag));
        Assert.Equal("content", await Client(client).TextAsync("run", "--rm", tag));
        Assert.Equal("4711 2 f", await Client(client).TextAsync("run", "--rm", tag, "sh", "-c", "test ! -e /etc/group && test -p /d/pipe && test -c /d/null && echo $(stat -c '%a %h' /d/hard) $(readlink /d/soft)"));
        await Client(client).TextAsync("rmi", tag);
    }

    [Theory, BothClients]
    public async Task Save_writes_to_standard_output_and_load_reads_standard_input(string client)
    {
        var file = Path.Combine(HostDirectory(), "stdout.tar");
        var program = client == Clients.Docker ? Binaries.Docker : Binaries.Wherry;
        var prefix = $"DOCKER_HOST={Engine.Host} WHERRY_HOST={Engine.Host} {program}";

        (await Command.ShellAsync($"{prefix} save busybox > {file} && {prefix} load < {file}")).Succeeded();
        Assert.Contains("manifest.json", TarBytes.Names(file));
    }

    [Theory, BothClients]
    public async Task Saving_twice_gives_the_same_bytes(string client)
    {
        var directory = HostDirectory();
        await Client(client).TextAsync("save", "-o", $"{directory}/1.tar", "busybox");
        await Client(client).TextAsync("save", "-o", $"{directory}/2.tar", "busybox");

        (await Command.RunAsync("cmp", $"{directory}/1.tar", $"{directory}/2.tar")).Succeeded();
    }

    [Theory, BothClients]
    public async Task Compressed_archives_load(string client)
    {
        var directory = HostDirectory();
        await Client(client).TextAsync("save", "-o", $"{directory}/i.tar", "busybox");
        (await Command.ShellAsync($"cd {directory} && gzip -k i.tar && zstd -q i.tar")).Succeeded();

        foreach (var file in new[] { "i.tar.gz", "i.tar.zst" })
        {
            Assert.Contains("busybox", await Client(client).TextAsync("load", "-i", $"{directory}/{file}"), StringComparison.Ordinal);
        }
    }

    [Theory, BothClients]
    public async Task Several_images_go_into_one_archive(string client)
    {
        var (first, second) = (Harness.Client.NewName("one"), Harness.Client.NewName("two"));
        await Client(client).TextAsync("tag", "busybox", first);
        await Client(client).TextAsync("tag", "busybox", second);
        var archive = Path.Combine(HostDirectory(), "both.tar");
        await Client(client).TextAsync("save", "-o", archive, first, second);
        await Client(client).TextAsync("rmi", first, second);

        await Client(client).TextAsync("load", "-i", archive);

        Assert.NotEmpty((await Client(client).RunAsync("images", "-q", first)).Lines);
        Assert.NotEmpty((await Client(client).RunAsync("images", "-q", second)).Lines);
        await Client(client).TextAsync("rmi", first, second);
    }

    [Theory, BothClients]
    public async Task Other_tools_read_what_we_save_and_we_load_what_they_write(string client)
    {
        var skopeo = Binaries.Need("skopeo");
        var directory = HostDirectory();
        await Client(client).TextAsync("save", "-o", $"{directory}/docker.tar", "busybox");

        (await Command.RunAsync(skopeo, "inspect", $"docker-archive:{directory}/docker.tar")).Succeeded();
        var name = Harness.Client.NewName("oci");
        (await Command.RunAsync(skopeo, "copy", "--insecure-policy", $"docker-archive:{directory}/docker.tar", $"oci-archive:{directory}/oci.tar:{name}:latest")).Succeeded();

        await Client(client).TextAsync("load", "-i", $"{directory}/oci.tar");
        Assert.Equal("fine", await Client(client).TextAsync("run", "--rm", name, "echo", "fine"));
        await Client(client).TextAsync("rmi", name);
    }

    [Theory, BothClients]
    public async Task A_root_file_system_is_imported_with_changes(string client)
    {
        var name = Harness.Client.NewName("imported") + ":v1";
        var directory = HostDirectory();
        (await Command.ShellAsync($"mkdir -p {directory}/root/bin && cp /bin/busybox {directory}/root/bin/ && ln -s busybox {directory}/root/bin/sh && tar -C {directory}/root -czf {directory}/root.tar.gz .")).Succeeded();

        var id = await Client(client).TextAsync(
            "import", "--change", "CMD [\"/bin/sh\", \"-c\", \"echo $GREETING from $PWD\"]", "--change", "ENV GREETING=hello", "-c", "WORKDIR /work", "-c", "LABEL a=b", "-c", "EXPOSE 80/tcp", "-c", "USER 5:6", "-m", "by hand", $"{directory}/root.tar.gz", name);

        Assert.Matches("^sha256:[0-9a-f]{64}$", id.Split('\n')[^1]);
        Assert.Equal("hello from /work", await Client(client).TextAsync("run", "--rm", name));
        var config = JsonDocument.Parse(await Client(client).TextAsync("image", "inspect", name)).RootElement[0].GetProperty("Config");
        Assert.Equal("b", config.GetProperty("Labels").GetProperty("a").GetString());
        Assert.Equal("5:6", config.GetProperty("User").GetString());
        Assert.True(config.GetProperty("ExposedPorts").TryGetProperty("80/tcp", out _));
        await Client(client).TextAsync("rmi", name);
    }

    [Theory, BothClients]
    public async Task Import_reads_standard_input(string client)
    {
        var name = Harness.Client.NewName("piped");
        var program = client == Clients.Docker ? Binaries.Docker : Binaries.Wherry;
        var directory = HostDirectory();
        await new TarBytes().File("hello", "there\n").SaveAsync($"{directory}/root.tar");

        (await Command.ShellAsync($"DOCKER_HOST={Engine.Host} WHERRY_HOST={Engine.Host} {program} import - {name} < {directory}/root.tar")).Succeeded();

        (await Client(client).RunAsync("import", $"{directory}/no-such-file", "x")).Refused("no-such-file");
        (await Client(client).RunAsync("import", "-c", "NONSENSE x", $"{directory}/root.tar", "x")).Refused("NONSENSE");
        await Client(client).TextAsync("rmi", name);
    }
}
