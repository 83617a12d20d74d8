using Wherry.EndToEnd.Tests.OciRuntime;

namespace Wherry.EndToEnd.Tests;

/// <summary>Images go from our engine to others' and back, by Debian's registry and by our own.</summary>
public sealed class RegistryPeerTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory]
    [InlineData("Debian's registry")]
    [InlineData("our registry")]
    public async Task Podman_runs_what_we_push_and_we_run_what_podman_pushes(string where)
    {
        var podman = Binaries.Need("podman");
        await using var debian = where == "our registry" ? null : await DebianRegistry.StartAsync();
        await using var ours = where == "our registry" ? await PrivateRegistry.StartNewAsync() : null;
        var host = debian?.Host ?? ours!.Host;
        var directory = CallerDirectory.Make("peer");
        try
        {
            string[] store = ["--root", $"{directory.Root}/root", "--runroot", $"{directory.Root}/run", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"];
            Task<CommandResult> PodmanAsync(params string[] arguments) => Command.RunAsync(podman, [.. store, .. arguments]);
            await ExchangeAsync(
                host,
                push: async name => (await PodmanAsync("push", "-q", "--tls-verify=false", name)).Succeeded(),
                pull: async name => (await PodmanAsync("pull", "-q", "--tls-verify=false", name)).Succeeded(),
                rename: async (from, to) => (await PodmanAsync("tag", from, to)).Succeeded(),
                idOf: async name => "sha256:" + (await PodmanAsync("image", "inspect", "--format", "{{.Id}}", name)).Succeeded().Text);
            (await PodmanAsync("rmi", "-a", "-f")).Succeeded();
        }
        finally
        {
            await directory.DisposeAsync();
        }
    }

    [Fact]
    public async Task Docker_runs_what_we_push_and_we_run_what_docker_pushes()
    {
        var dockerd = Binaries.Need("dockerd");
        await using var registry = await DebianRegistry.StartAsync();
        var directory = CallerDirectory.Make("peer");
        try
        {
            var docker = new Client(Clients.Docker, Binaries.Docker, $"unix://{directory.Root}/docker.sock");
            // No network of its own: it talks to the loopback's registry and makes nothing on the host.
            await using var daemon = await PrivateDaemon.StartAsync(
                $"{directory.Root}/log",
                async () => (await docker.RunAsync("version")).ExitCode == 0,
                dockerd, "--data-root", $"{directory.Root}/data", "--exec-root", $"{directory.Root}/run", "-H", $"unix://{directory.Root}/docker.sock", "--pidfile", $"{directory.Root}/pid",
                "--bridge", "none", "--iptables=false", "--ip-forward=false", "--storage-driver", "vfs");
            await ExchangeAsync(
                registry.Host,
                push: name => docker.TextAsync("push", "-q", name),
                pull: name => docker.TextAsync("pull", "-q", name),
                rename: (from, to) => docker.TextAsync("tag", from, to),
                idOf: name => docker.TextAsync("image", "inspect", "--format", "{{.Id}}", name));
        }
        finally
        {
            await directory.DisposeAsync();
        }
    }

    private async Task ExchangeAsync(string host, Func<string, Task> push, Func<string, Task> pull, Func<string, string, Task> rename, Func<string, Task<string>> idOf)
    {
        var ours = $"{host}/ours/app:1";
        var theirs = $"{host}/theirs/app:1";
        var id = await Wherry.DetachedAsync("busybox", "sh", "-c", "mkdir -p /d; echo kept > /d/f; chown 7:8 /d/f; chmod 4711 /d/f; ln -s f /d/link; ln /d/f /d/hard; rm -r /home");
        Assert.Equal("0", await Wherry.TextAsync("wait", id));
        await Wherry.TextAsync("commit", "-c", "CMD [\"cat\", \"/d/link\"]", id, ours);
        var image = await Wherry.TextAsync("image", "inspect", "-f", "{{.Id}}", ours);
        await Wherry.RemoveAsync(id);
        await Wherry.TextAsync("push", ours);
        await Wherry.TextAsync("rmi", ours);

        await pull(ours);
        Assert.Equal(image, await idOf(ours));
        await rename(ours, theirs);
        await push(theirs);

        await Wherry.TextAsync("pull", theirs);
        Assert.Equal(image, await Wherry.TextAsync("image", "inspect", "-f", "{{.Id}}", theirs));
        Assert.Equal("kept", await Wherry.TextAsync("run", "--rm", theirs));
        Assert.Equal("4711 7 8 2 gone", await Wherry.TextAsync("run", "--rm", theirs, "sh", "-c", "echo $(stat -c '%a %u %g %h' /d/hard) $(test -e /home || echo gone)"));
        await Wherry.TextAsync("rmi", theirs);
    }
}
