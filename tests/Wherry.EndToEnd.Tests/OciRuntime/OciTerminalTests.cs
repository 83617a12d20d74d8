using System.Diagnostics;

namespace Wherry.EndToEnd.Tests.OciRuntime;

/// <summary>Programs on terminals: in the foreground, and with the master sent to a console socket.</summary>
public sealed class OciTerminalTests(OciHost host) : IClassFixture<OciHost>
{
    // Takes one connection, prints what came with the descriptor, then what the terminal shows.
    private const string Receiver = """
        import array, os, socket, sys
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(sys.argv[1])
        listener.listen(1)
        print("listening", flush=True)
        connection, _ = listener.accept()
        name, control, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
        master = array.array("i", control[0][2])[0]
        print(name.decode(), flush=True)
        text = b""
        while b"end" not in text:
            text += os.read(master, 4096)
        print(text.decode().replace("\r\n", "\n"), flush=True)
        sys.stdin.read()
        """;

    [Fact]
    public async Task Create_sends_the_terminals_master_to_the_console_socket()
    {
        var bundle = host.Bundle("tty; test -t 1 && echo terminal; stty size; echo end; sleep 1000", config =>
        {
            config["process"]!["terminal"] = true;
            config["process"]!["consoleSize"] = new System.Text.Json.Nodes.JsonObject { ["height"] = 33, ["width"] = 77 };
        });
        using var receiver = await ReceiveAsync(bundle);
        var id = await host.CreateAsync(bundle, "--console-socket", Path.Combine(bundle, "console"));
        Assert.Equal("/dev/ptmx", await LineAsync(receiver));
        (await host.RunAsync("start", id)).Succeeded();
        Assert.Equal("/dev/pts/0", await LineAsync(receiver));
        Assert.Equal("terminal", await LineAsync(receiver));
        Assert.Equal("33 77", await LineAsync(receiver));
        await EndAsync(receiver);
    }

    [Fact]
    public async Task Exec_sends_its_terminals_master_to_the_console_socket()
    {
        var id = await host.StartAsync("sleep 1000");
        var bundle = host.Bundle("true");
        using var receiver = await ReceiveAsync(bundle);
        (await host.LeaveAsync(bundle, "exec", "-d", "-t", "--console-socket", Path.Combine(bundle, "console"), id, "sh", "-c", "tty; echo end; sleep 1000")).Succeeded();
        Assert.Equal("/dev/ptmx", await LineAsync(receiver));
        Assert.Equal("/dev/pts/0", await LineAsync(receiver));
        await EndAsync(receiver);
    }

    [Fact]
    public async Task Restore_sends_the_restored_terminals_master_to_the_console_socket()
    {
        Criu.Need();
        var bundle = host.Bundle("while ! test -e /tmp/go; do sleep 0.05; done; tty; stty size; echo end; sleep 1000", config =>
        {
            config["process"]!["terminal"] = true;
            config["process"]!["consoleSize"] = new System.Text.Json.Nodes.JsonObject { ["height"] = 33, ["width"] = 77 };
        });
        string id;
        string[] images = ["--image-path", Path.Combine(bundle, "checkpoint")];
        using (var first = await ReceiveAsync(bundle))
        {
            id = await host.CreateAsync(bundle, "--console-socket", Path.Combine(bundle, "console"));
            Assert.Equal("/dev/ptmx", await LineAsync(first));
            (await host.RunAsync("start", id)).Succeeded();
            (await host.RunAsync(["checkpoint", .. images, id])).Succeeded();
            await EndAsync(first);
        }

        (await host.LeaveAsync(bundle, ["restore", "--detach", "--bundle", bundle, .. images, id])).Exited(1);
        File.Delete(Path.Combine(bundle, "console"));
        using var second = await ReceiveAsync(bundle);
        (await host.LeaveAsync(bundle, ["restore", "--detach", "--bundle", bundle, "--console-socket", Path.Combine(bundle, "console"), .. images, id])).Succeeded();
        Assert.Equal("/dev/ptmx", await LineAsync(second));
        (await host.RunAsync("exec", id, "touch", "/tmp/go")).Succeeded();
        Assert.Equal("/dev/pts/0", await LineAsync(second));
        Assert.Equal("33 77", await LineAsync(second));
        await EndAsync(second);
    }

    [Fact]
    public async Task A_terminal_and_who_is_to_have_it_must_go_together()
    {
        var bundle = host.Bundle("true", config => config["process"]!["terminal"] = true);
        (await host.RunAsync("create", "--bundle", bundle, OciHost.NewId())).Failed(1, "without setting console socket");
        var plain = host.Bundle("true");
        (await host.RunAsync("create", "--console-socket", "/tmp/nowhere", "--bundle", plain, OciHost.NewId())).Failed(1, "cannot use console socket");
        var id = OciHost.NewId();
        (await host.RunAsync("create", "--console-socket", Path.Combine(bundle, "nowhere"), "--bundle", bundle, id)).Refused("connect to the console socket");
        (await host.RunAsync("state", id)).Failed(1, "container does not exist");
    }

    [Fact]
    public async Task Run_and_exec_give_the_callers_terminal_to_the_program()
    {
        var bundle = host.Bundle("echo main; tty; stty size; read line; echo got $line; exit 5", config => config["process"]!["terminal"] = true);
        using var run = PseudoTerminal.Start(Binaries.OciRuntime, ["--root", host.Root, "run", "--bundle", bundle, OciHost.NewId()], null, rows: 31, columns: 91);
        await run.SeesAsync("31 91");
        run.Type("words\n");
        await run.SeesAsync("got words");
        Assert.Equal(5, await run.ExitAsync());

        var id = await host.StartAsync("sleep 1000");
        using var exec = PseudoTerminal.Start(Binaries.OciRuntime, ["--root", host.Root, "exec", "-t", id, "sh", "-c", "tty; stty size; exit 6"], null, rows: 32, columns: 92);
        await exec.SeesAsync("32 92");
        Assert.Equal(6, await exec.ExitAsync());
    }

    private static async Task<Process> ReceiveAsync(string bundle)
    {
        var receiver = Command.Start(Binaries.Need("python3"), ["-c", Receiver, Path.Combine(bundle, "console")], null);
        Assert.Equal("listening", await LineAsync(receiver));
        return receiver;
    }

    private static async Task<string?> LineAsync(Process process) =>
        await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    private static async Task EndAsync(Process process)
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
