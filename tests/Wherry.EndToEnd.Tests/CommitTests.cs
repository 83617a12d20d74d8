using System.Text.Json;

namespace Wherry.EndToEnd.Tests;

/// <summary>Making an image from what a container has become.</summary>
public sealed class CommitTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task Files_added_changed_and_deleted_are_in_the_image(string client)
    {
        var image = Harness.Client.NewName("committed");
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "echo new > /new; echo changed > /etc/passwd; rm /etc/group; mkdir /dir; chmod 1777 /dir; chown 5:6 /dir");
        await Client(client).TextAsync("wait", id);

        Assert.Matches("^sha256:[0-9a-f]{64}$", await Client(client).TextAsync("commit", id, image));

        Assert.Equal("new changed 1777 5 6 gone", await Client(client).TextAsync("run", "--rm", image, "sh", "-c", "echo $(cat /new) $(cat /etc/passwd) $(stat -c '%a %u %g' /dir) $(test -e /etc/group || echo gone)"));
        await Client(client).RemoveAsync(id);
        await Client(client).TextAsync("rmi", image);
    }

    [Theory, BothClients]
    public async Task A_directory_replaced_is_not_merged_with_the_old_one(string client)
    {
        var image = Harness.Client.NewName("replaced");
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "rm -rf /etc 2>/dev/null; mkdir -p /etc; mkdir /home/x; echo only > /etc/only; rm -rf /bin2; true");
        await Client(client).TextAsync("wait", id);
        await Client(client).TextAsync("commit", id, image);

        Assert.DoesNotContain("passwd", await Client(client).TextAsync("run", "--rm", image, "/bin/ls", "/etc"), StringComparison.Ordinal);
        await Client(client).RemoveAsync(id);
        await Client(client).TextAsync("rmi", image);
    }

    [Theory, BothClients]
    public async Task Changes_message_and_author_are_recorded(string client)
    {
        var image = Harness.Client.NewName("changed") + ":v2";
        var id = await Client(client).TextAsync("create", "-e", "KEPT=1", "busybox", "true");

        await Client(client).TextAsync("commit", "-a", "A. Sailor", "-m", "all aboard", "--change", "CMD [\"echo\", \"changed\"]", "-c", "ENV ADDED=2", "-c", "EXPOSE 8080", "-c", "VOLUME /data", "-c", "WORKDIR /w", "-c", "ENTRYPOINT [\"/bin/env\"]", id, image);

        var json = JsonDocument.Parse(await Client(client).TextAsync("image", "inspect", image)).RootElement[0];
        Assert.Equal("A. Sailor", json.GetProperty("Author").GetString());
        Assert.Equal("all aboard", json.GetProperty("Comment").GetString());
        var config = json.GetProperty("Config");
        var environment = config.GetProperty("Env").EnumerateArray().Select(variable => variable.GetString()).ToArray();
        Assert.Contains("KEPT=1", environment);
        Assert.Contains("ADDED=2", environment);
        Assert.Equal("echo", config.GetProperty("Cmd")[0].GetString());
        Assert.Equal("/bin/env", config.GetProperty("Entrypoint")[0].GetString());
        Assert.Equal("/w", config.GetProperty("WorkingDir").GetString());
        Assert.True(config.GetProperty("ExposedPorts").TryGetProperty("8080/tcp", out _));
        Assert.True(config.GetProperty("Volumes").TryGetProperty("/data", out _));
        (await Client(client).RunAsync("commit", "-c", "NONSENSE 1", id, "x")).Refused("NONSENSE");
        await Client(client).RemoveAsync(id);
        await Client(client).TextAsync("rmi", image);
    }

    [Theory, BothClients]
    public async Task A_running_container_is_committed_and_goes_on(string client)
    {
        var image = Harness.Client.NewName("running");
        var id = await Client(client).DetachedAsync("busybox", "sh", "-c", "echo state > /state; exec sleep 60");
        await Eventually.TrueAsync(async () => (await Client(client).RunAsync("exec", id, "test", "-s", "/state")).ExitCode == 0, "the file is there");

        await Client(client).TextAsync("commit", id, image);

        Assert.Equal("running", await Client(client).FieldAsync(id, "{{.State.Status}}"));
        Assert.Equal("state", await Client(client).TextAsync("run", "--rm", image, "cat", "/state"));
        await Client(client).RemoveAsync(id);
        await Client(client).TextAsync("rmi", image);
    }

    [Theory, BothClients]
    public async Task Mounted_files_and_the_engines_own_are_not_committed(string client)
    {
        var image = Harness.Client.NewName("clean");
        var directory = HostDirectory();
        await File.WriteAllTextAsync(Path.Combine(directory, "private"), "x", TestContext.Current.CancellationToken);
        var id = await Client(client).DetachedAsync("-v", $"{directory}:/mounted", "--hostname", "telltale", "busybox", "true");
        await Client(client).TextAsync("wait", id);
        await Client(client).TextAsync("commit", id, image);

        Assert.Equal("", await Client(client).TextAsync("run", "--rm", image, "ls", "-A", "/mounted"));
        var archive = Path.Combine(HostDirectory(), "clean.tar");
        await Client(client).TextAsync("save", "-o", archive, image);
        // The configuration does name it; the file /etc/hostname must not be there.
        Assert.DoesNotContain("telltale\n", await File.ReadAllTextAsync(archive, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await Client(client).RemoveAsync(id);
        await Client(client).TextAsync("rmi", image);
    }

    [Theory, BothClients]
    public async Task Images_are_built_up_of_many_commits(string client)
    {
        var image = Harness.Client.NewName("stack");
        await Client(client).TextAsync("tag", "busybox", image);
        for (var layer = 0; layer < 12; layer++)
        {
            var id = await Client(client).DetachedAsync(image, "sh", "-c", $"echo {layer} > /layer-{layer}; echo {layer} > /last");
            await Client(client).TextAsync("wait", id);
            await Client(client).TextAsync("commit", id, image);
            await Client(client).RemoveAsync(id);
        }

        Assert.Equal("12 11", await Client(client).TextAsync("run", "--rm", image, "sh", "-c", "echo $(ls / | grep -c layer-) $(cat /last)"));
        await Client(client).TextAsync("rmi", "-f", image);
    }
}
