using System.Globalization;

namespace Wherry.EndToEnd.Tests;

/// <summary>The API as programs of every age speak it.</summary>
public sealed class RestApiTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Fact]
    public async Task Ping_tells_the_version_and_system()
    {
        using var rest = Engine.Rest();
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head })
        {
            var answer = await rest.SendAsync(method, "/_ping");
            Assert.Equal(200, answer.Status);
            Assert.Equal(method == HttpMethod.Get ? "OK" : "", answer.Body);
            Assert.Matches(@"^1\.\d+$", answer.Headers.GetValues("Api-Version").Single());
            Assert.Equal("linux", answer.Headers.GetValues("Ostype").Single());
            Assert.Equal("false", answer.Headers.GetValues("Docker-Experimental").Single());
        }

        Assert.Equal(200, (await rest.GetAsync("/v1.30/_ping")).Status);
    }

    [Fact]
    public async Task Version_and_info_have_what_clients_look_for()
    {
        using var rest = Engine.Rest();
        var version = (await rest.GetAsync("/version")).Json;
        foreach (var field in new[] { "Version", "ApiVersion", "MinAPIVersion", "Os", "Arch", "KernelVersion" })
        {
            Assert.NotEqual("", version.GetProperty(field).GetString());
        }

        var info = (await rest.GetAsync("/v1.44/info")).Json;
        Assert.Equal(Engine.DataRoot, info.GetProperty("DockerRootDir").GetString());
        Assert.True(info.GetProperty("NCPU").GetInt32() > 0);
        Assert.True(info.GetProperty("MemTotal").GetInt64() > 0);
        Assert.Equal("linux", info.GetProperty("OSType").GetString());
        foreach (var field in new[] { "ID", "Containers", "ContainersRunning", "Images", "Driver", "CgroupDriver", "CgroupVersion", "KernelVersion", "OperatingSystem", "Architecture", "Name", "ServerVersion" })
        {
            Assert.True(info.TryGetProperty(field, out _), field);
        }
    }

    [Fact]
    public async Task Versions_are_negotiated_as_docker_does()
    {
        using var rest = Engine.Rest();
        var current = (await rest.GetAsync("/version")).Json.GetProperty("ApiVersion").GetString()!;

        Assert.Equal(200, (await rest.GetAsync($"/v{current}/containers/json")).Status);
        Assert.Equal(200, (await rest.GetAsync("/containers/json")).Status);
        Assert.Equal(200, (await rest.GetAsync("/v1.24/containers/json")).Status);
        var newer = await rest.GetAsync("/v9.99/containers/json");
        Assert.Equal(400, newer.Status);
        Assert.Contains("client version 9.99 is too new", newer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_oldest_versions_are_served()
    {
        var id = await Docker.DetachedAsync("-p", "80", "busybox", "true");
        await Docker.TextAsync("wait", id);
        using var rest = Engine.Rest();

        var answer = await rest.GetAsync("/v1.13/containers/json?all=1");

        Assert.Equal(200, answer.Status);
        var container = Assert.Single(answer.Json.EnumerateArray(), item => item.GetProperty("Id").GetString() == id);
        Assert.Equal("busybox", container.GetProperty("Image").GetString());
        Assert.StartsWith("Exited (0)", container.GetProperty("Status").GetString(), StringComparison.Ordinal);
        Assert.Equal("true", container.GetProperty("Command").GetString());
        Assert.True(container.GetProperty("Created").GetInt64() > 1_700_000_000);
        Assert.Equal(200, (await rest.GetAsync($"/v1.13/containers/{id}/json")).Status);
        Assert.Equal(200, (await rest.GetAsync("/v1.13/images/json")).Status);
        Assert.Equal(200, (await rest.GetAsync("/v1.12/version")).Status);
        await Docker.RemoveAsync(id);
    }

    [Fact]
    public async Task Status_codes_are_dockers()
    {
        using var rest = Engine.Rest();
        var name = Harness.Client.NewName("rest");
        var created = await rest.PostAsync($"/v1.44/containers/create?name={name}", """{"Image":"busybox","Cmd":["sleep","60"]}""");
        Assert.Equal(201, created.Status);
        var id = created.Json.GetProperty("Id").GetString()!;
        Assert.Equal(0, created.Json.GetProperty("Warnings").GetArrayLength());

        Assert.Equal(409, (await rest.PostAsync($"/containers/create?name={name}", """{"Image":"busybox"}""")).Status);
        Assert.Equal(204, (await rest.PostAsync($"/containers/{id}/start")).Status);
        Assert.Equal(304, (await rest.PostAsync($"/containers/{id}/start")).Status);
        Assert.Equal(409, (await rest.DeleteAsync($"/containers/{id}")).Status);
        Assert.Equal(204, (await rest.PostAsync($"/containers/{id}/stop?t=0")).Status);
        Assert.Equal(304, (await rest.PostAsync($"/containers/{id}/stop")).Status);
        Assert.Equal(409, (await rest.PostAsync($"/containers/{id}/kill")).Status);
        Assert.Equal(409, (await rest.PostAsync($"/containers/{id}/exec", """{"Cmd":["true"]}""")).Status);
        var wait = await rest.PostAsync($"/containers/{id}/wait");
        Assert.Equal((200, 137), (wait.Status, wait.Json.GetProperty("StatusCode").GetInt32()));
        Assert.Equal(204, (await rest.DeleteAsync($"/containers/{id}?v=1")).Status);

        var gone = await rest.GetAsync($"/containers/{id}/json");
        Assert.Equal(404, gone.Status);
        Assert.Equal($"No such container: {id}", gone.Message);
        Assert.Equal(404, (await rest.PostAsync("/containers/create", """{"Image":"no-such-image"}""")).Status);
        Assert.Equal(404, (await rest.GetAsync("/images/no-such-image/json")).Status);
        Assert.Equal(404, (await rest.PostAsync("/exec/0000/start", "{}")).Status);
        var unknown = await rest.GetAsync("/no/such/page");
        Assert.Equal((404, "page not found"), (unknown.Status, unknown.Message));
    }

    [Fact]
    public async Task Malformed_bodies_are_refused_with_a_message()
    {
        using var rest = Engine.Rest();
        var before = (await Docker.RunAsync("ps", "-aq")).Succeeded().Lines;
        foreach (var body in new[] { "{", "{\"Image\":", "[1,2]", "\"text\"", "{\"Image\":5}", "{\"HostConfig\":\"x\"}", "null", "" })
        {
            var answer = await rest.PostAsync("/containers/create", body);
            Assert.True(answer.Status == 400, $"{body}: {answer.Status} {answer.Body}");
            Assert.NotEqual("", answer.Message);
        }

        Assert.Equal(400, (await rest.GetAsync("/containers/json?filters=nonsense")).Status);
        Assert.Equal(400, (await rest.GetAsync("/containers/json?limit=x")).Status);
        Assert.Equal(400, (await rest.PostAsync("/containers/create?name=not/allowed", """{"Image":"busybox"}""")).Status);
        Assert.Equal(400, (await rest.PostAsync("/containers/create", """{"Image":"busybox","HostConfig":{"Memory":1}}""")).Status);
        Assert.Equal(before, (await Docker.RunAsync("ps", "-aq")).Succeeded().Lines);
    }

    [Fact]
    public async Task A_body_without_a_json_type_is_refused()
    {
        using var rest = Engine.Rest();

        var answer = await rest.SendAsync(HttpMethod.Post, "/containers/create", """{"Image":"busybox"}""", "text/plain");

        Assert.InRange(answer.Status, 400, 415);
        Assert.NotEqual("", answer.Message);
    }

    [Fact]
    public async Task A_body_that_never_ends_is_cut_off()
    {
        using var rest = Engine.Rest();
        var before = await ResidentAsync();

        // A hundred megabytes of one string, announced truthfully.
        var answer = await rest.PostAsync("/containers/create", "{\"Image\":\"" + new string('x', 100_000_000) + "\"}");

        Assert.InRange(answer.Status, 400, 413);
        Assert.True(await ResidentAsync() - before < 80 << 20, "it is not kept in memory");
        Assert.Equal(200, (await rest.GetAsync("/_ping")).Status);
    }

    [Fact]
    public async Task Nonsense_on_the_wire_does_not_disturb_the_engine()
    {
        using var rest = Engine.Rest();
        foreach (var request in new[]
        {
            "\0\0\0\0",
            "GET\r\n\r\n",
            "GET /_ping HTTP/9.9\r\n\r\n",
            "GET /containers/%00/json HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /containers/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
            "GET /" + new string('a', 100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
        })
        {
            var answer = await rest.RawAsync(request, seconds: 1);
            Assert.DoesNotContain("root:x:0", answer, StringComparison.Ordinal);
        }

        Assert.Equal(200, (await rest.GetAsync("/_ping")).Status);
    }

    [Fact]
    public async Task Attaching_takes_the_connection_over()
    {
        using var rest = Engine.Rest();
        var id = (await rest.PostAsync("/containers/create", """{"Image":"busybox","Cmd":["echo","over"],"AttachStdout":true}""")).Json.GetProperty("Id").GetString()!;
        var attached = rest.RawAsync($"POST /v1.44/containers/{id}/attach?stream=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n", seconds: 10);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        await rest.PostAsync($"/containers/{id}/start");

        var answer = await attached;

        Assert.StartsWith("HTTP/1.1 101 UPGRADED\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("application/vnd.docker.multiplexed-stream", answer, StringComparison.Ordinal);
        Assert.EndsWith("\u0001\0\0\0\0\0\0\u0005over\n", answer, StringComparison.Ordinal);
        await rest.DeleteAsync($"/containers/{id}?force=1");
    }

    [Fact]
    public async Task Old_clients_attach_without_asking_for_an_upgrade()
    {
        var id = await Docker.DetachedAsync("-t", "busybox", "sh", "-c", "sleep 1; echo raw");
        using var rest = Engine.Rest();

        var answer = await rest.RawAsync($"POST /v1.13/containers/{id}/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", seconds: 10);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("application/vnd.docker.raw-stream", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nraw\r\n", answer, StringComparison.Ordinal);
        await Docker.RemoveAsync(id);
    }

    [Fact]
    public async Task Waiting_answers_its_head_at_once()
    {
        var id = await Docker.DetachedAsync("busybox", "sleep", "60");
        using var rest = Engine.Rest();

        var answer = await rest.RawAsync($"POST /containers/{id}/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", seconds: 1);

        Assert.StartsWith("HTTP/1.1 200 OK", answer, StringComparison.Ordinal);
        await Docker.RemoveAsync(id);
    }

    [Fact]
    public async Task Many_idle_connections_do_no_harm()
    {
        var clients = Enumerable.Range(0, 200).Select(_ => Engine.Rest()).ToArray();
        try
        {
            var answers = await Task.WhenAll(clients.Select(client => client.GetAsync("/_ping")));
            Assert.All(answers, answer => Assert.Equal(200, answer.Status));
            (await Docker.RunAsync("run", "--rm", "busybox", "true")).Succeeded();
        }
        finally
        {
            foreach (var client in clients)
            {
                client.Dispose();
            }
        }
    }

    [Fact]
    public async Task Tcp_is_served_on_the_loopback_when_asked_and_refused_elsewhere()
    {
        var port = Ports.Free();
        await using (var engine = await PrivateEngine.StartNewAsync("-H", $"tcp://127.0.0.1:{port}"))
        {
            using var http = new HttpClient();
            Assert.Equal("OK", await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/_ping"), TestContext.Current.CancellationToken));
            var curl = (await Command.RunAsync("curl", "-s", "--unix-socket", engine.SocketPath, "http://x/v1.13/containers/json?all=1")).Succeeded();
            Assert.Equal("[]", curl.Text);
        }

        var refused = await Command.RunAsync(Binaries.Wherryd, "--data-root", "/var/tmp/wherry-e2e/refused", "--exec-root", "/run/wherry-e2e/refused", "-H", $"tcp://0.0.0.0:{port}");
        refused.Refused("TLS");
        await Command.ShellAsync("rm -rf /var/tmp/wherry-e2e/refused /run/wherry-e2e/refused");
    }

    /// <summary>The engine's resident memory, bytes.</summary>
    private async Task<long> ResidentAsync()
    {
        var lines = await File.ReadAllLinesAsync($"/proc/{Engine.ProcessId}/status", TestContext.Current.CancellationToken);
        var line = lines.First(text => text.StartsWith("VmRSS", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
