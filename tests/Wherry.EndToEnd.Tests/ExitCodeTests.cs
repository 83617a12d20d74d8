namespace Wherry.EndToEnd.Tests;

/// <summary>Exit codes as Docker's users and scripts expect them.</summary>
public sealed class ExitCodeTests(EngineFixture fixture) : EngineTests(fixture)
{
    [Theory, BothClients]
    public async Task The_programs_own_code_is_passed_on(string client)
    {
        foreach (var code in new[] { 0, 1, 42, 255 })
        {
            (await Client(client).RunAsync("run", "--rm", "busybox", "sh", "-c", $"exit {code}")).Exited(code);
        }
    }

    [Theory, BothClients]
    public async Task A_killed_program_is_137(string client)
    {
        var name = Harness.Client.NewName();
        using var process = Client(client).Start("run", "--name", name, "busybox", "sh", "-c", "echo up; sleep 60");
        Assert.Equal("up", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        await Client(client).TextAsync("kill", name);

        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(137, process.ExitCode);
        Assert.Equal("137", await Client(client).FieldAsync(name, "{{.State.ExitCode}}"));
        await Client(client).RemoveAsync(name);
    }

    [Theory, BothClients]
    public async Task A_program_that_is_not_found_is_127(string client)
    {
        var name = Harness.Client.NewName();
        (await Client(client).RunAsync("run", "--name", name, "busybox", "no-such-program")).Failed(127, "executable file not found in $PATH");

        Assert.Equal("127", await Client(client).FieldAsync(name, "{{.State.ExitCode}}"));
        (await Client(client).RunAsync("rm", name)).Succeeded();
    }

    [Theory, BothClients]
    public async Task A_path_that_does_not_exist_is_127(string client) =>
        (await Client(client).RunAsync("run", "--rm", "busybox", "/no/such/program")).Failed(127, "no such file or directory");

    [Theory, BothClients]
    public async Task A_program_that_may_not_be_executed_is_126(string client)
    {
        (await Client(client).RunAsync("run", "--rm", "busybox", "/etc/passwd")).Failed(126, "permission denied");
        (await Client(client).RunAsync("run", "--rm", "busybox", "/etc")).Failed(126, "");
    }

    [Theory, BothClients]
    public async Task An_unknown_image_is_125(string client) =>
        (await Client(client).RunAsync("run", "--rm", "127.0.0.1:1/no-such-image", "true")).Failed(125, "no-such-image");

    [Theory, BothClients]
    public async Task An_unknown_flag_is_125(string client) =>
        (await Client(client).RunAsync("run", "--no-such-flag", "busybox", "true")).Failed(125, "no-such-flag");

    [Theory, BothClients]
    public async Task An_unknown_command_fails(string client) =>
        (await Client(client).RunAsync("no-such-command")).Refused("no-such-command");

    [Theory, BothClients]
    public async Task Exec_passes_codes_on_too(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sleep", "60");

        (await Client(client).RunAsync("exec", id, "sh", "-c", "exit 17")).Exited(17);
        (await Client(client).RunAsync("exec", id, "no-such-program")).Exited(127);
        (await Client(client).RunAsync("exec", id, "/etc/passwd")).Exited(126);
        (await Client(client).RunAsync("exec", id, "sh", "-c", "kill -9 $$")).Exited(137);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Without_an_engine_the_error_says_what_to_do(string client)
    {
        var lost = new Client(client, client == Clients.Docker ? Binaries.Docker : Binaries.Wherry, "unix:///run/wherry-e2e/nobody.sock");

        (await lost.RunAsync("ps")).Refused("nobody.sock");
        (await lost.RunAsync("run", "--rm", "busybox", "true")).Exited(125);
    }
}
