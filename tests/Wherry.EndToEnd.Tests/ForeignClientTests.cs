namespace Wherry.EndToEnd.Tests;

/// <summary>Programs written for Docker by others.</summary>
public sealed class ForeignClientTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Fact]
    public async Task Dockers_python_library_works()
    {
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/docker"), "python3-docker is not installed");
        var script = $$"""
            import docker
            client = docker.DockerClient(base_url='{{Engine.Host}}')
            assert client.ping()
            assert client.version()['Os'] == 'linux'
            assert client.info()['OSType'] == 'linux'
            assert client.containers.run('busybox', 'echo from python', remove=True) == b'from python\n'
            try:
                client.containers.run('busybox', 'sh -c "echo bad >&2; exit 3"', remove=True)
                raise Exception('no error')
            except docker.errors.ContainerError as error:
                assert error.exit_status == 3, error
                assert b'bad' in error.stderr, error
            try:
                client.containers.get('nobody-here')
                raise Exception('no error')
            except docker.errors.NotFound:
                pass
            container = client.containers.run('busybox', ['sh', '-c', 'echo up; sleep 60'], detach=True, name='pythonic', labels={'a': 'b'}, environment={'X': '1'}, mem_limit='64m', volumes={'/tmp': {'bind': '/host', 'mode': 'ro'} })
            container.reload()
            assert container.status == 'running'
            # The library loses what arrives together with the answer's head, as it can on a busy host, whatever the engine.
            code, output = container.exec_run(['sh', '-c', 'sleep 1; echo $X; exit 5'])
            assert (code, output) == (5, b'1\n'), (code, output)
            for line in container.logs(stream=True, follow=True):
                assert line == b'up\n', line
                break
            assert [c.name for c in client.containers.list(filters={'label': 'a=b'})] == ['pythonic']
            image = container.commit('fromsdk', 'v1')
            assert 'fromsdk:v1' in image.tags
            data = b''.join(client.images.get('fromsdk:v1').save(named=True))
            client.images.remove('fromsdk:v1')
            loaded = client.images.load(data)
            assert loaded[0].tags == ['fromsdk:v1'], loaded[0].tags
            container.rename('snake')
            container.stop(timeout=0)
            assert container.wait()['StatusCode'] == 137
            container.remove(v=True)
            client.images.remove('fromsdk:v1')
            print('all well')
            """;
        var file = Path.Combine(HostDirectory(), "script.py");
        await File.WriteAllTextAsync(file, script, TestContext.Current.CancellationToken);

        Assert.Equal("all well", (await Command.RunAsync("/usr/bin/python3", file)).Succeeded().Text);
    }

    [Fact]
    public async Task Every_docker_command_line_at_hand_works()
    {
        foreach (var program in Binaries.AllDockers)
        {
            var docker = new Harness.Client(Clients.Docker, program, Engine.Host);
            var name = Harness.Client.NewName("age");

            Assert.Contains("Server:", await docker.TextAsync("version"), StringComparison.Ordinal);
            (await docker.RunAsync("info")).Succeeded();
            Assert.Equal("hi\n", (await docker.RunAsync(["run", "-i", "--rm", "busybox", "cat"], "hi\n")).Succeeded().Output);
            var id = await docker.DetachedAsync("--name", name, "-p", "80", "-v", "/data", "-m", "64m", "busybox", "sh", "-c", "echo log; sleep 60");
            Assert.Equal("in", await docker.TextAsync("exec", name, "echo", "in"));
            (await docker.RunAsync("exec", name, "sh", "-c", "exit 9")).Exited(9);
            Assert.Equal("log", await docker.TextAsync("logs", name));
            Assert.Contains(name, await docker.TextAsync("ps"), StringComparison.Ordinal);
            using (var terminal = docker.StartInTerminal("exec", "-it", name, "sh"))
            {
                await terminal.SeesAsync("# ");
                terminal.Type("echo $((40+2))-tty; exit 3\n");
                await terminal.SeesAsync("42-tty");
                Assert.Equal(3, await terminal.ExitAsync());
            }

            await docker.TextAsync("commit", name, name + "-image");
            await docker.TextAsync("tag", name + "-image", name + "-image:other");
            await docker.TextAsync("history", name + "-image");
            await docker.TextAsync("stop", "-t", "0", name);
            await docker.TextAsync("start", name);
            await docker.TextAsync("restart", "-t", "0", name);
            await docker.TextAsync("rename", name, name + "-new");
            await docker.TextAsync("kill", name + "-new");
            Assert.Equal("137", await docker.TextAsync("wait", name + "-new"));
            (await docker.RunAsync("rmi", name + "-image", name + "-image:other")).Succeeded();
            Assert.Equal(id, await docker.FieldAsync(name + "-new", "{{.Id}}"));
            (await docker.RunAsync("rm", "-v", name + "-new")).Succeeded();
        }
    }
}
