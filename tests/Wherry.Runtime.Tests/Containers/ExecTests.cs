using Wherry.Errors;
using Wherry.Linux.Signals;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Containers;

[Collection(ContainerCollection.Name)]
public sealed class ExecTests
{
    [Fact]
    public async Task An_exec_has_its_own_streams_and_exit_code()
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        var (code, stdout, stderr) = await container.ExecAsync(["sh", "-c", "echo out; echo err >&2; exit 7"]);
        Assert.Equal((7, "out\n", "err\n"), (code, stdout, stderr));
        Assert.Equal("", container.Log("stdout"));
    }

    [Fact]
    public async Task An_exec_is_inside_in_every_respect()
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        const string script = "for ns in pid mnt ipc uts net cgroup; do readlink /proc/self/ns/$ns; done; cat /proc/self/cgroup; grep -E '^(Cap|NoNewPrivs)' /proc/self/status; hostname; pwd";
        var inside = await container.ExecAsync(["sh", "-c", script]);
        var first = await container.ExecAsync(["sh", "-c", "for ns in pid mnt ipc uts net cgroup; do readlink /proc/1/ns/$ns; done; cat /proc/1/cgroup; grep -E '^(Cap|NoNewPrivs)' /proc/1/status; hostname; pwd"]);
        Assert.Equal(first.Stdout, inside.Stdout);
        var processes = await container.Sandbox.ListProcessesAsync(Cancel);
        Assert.Equal([container.Sandbox.HostPid!.Value], processes);
    }

    [Fact]
    public async Task An_exec_takes_input_until_it_ends()
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        await using var exec = await container.Sandbox.ExecAsync(new ExecRequest(Program(["cat"]), null, new StreamSelection(true, true, true), Detach: false), Cancel);
        await exec.Streams!.Stream.WriteAsync("to and fro"u8.ToArray(), Cancel);
        exec.Streams.CompleteInput();
        var (stdout, _) = await ReadFramesAsync(exec.Streams.Stream);
        Assert.Equal("to and fro", stdout);
        Assert.Equal(0, await exec.Exit.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    [Fact]
    public async Task An_exec_can_have_a_terminal_of_the_containers()
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        var process = Program(["sh", "-c", "tty; stty size; read x; stty size; exit 3"]) with { Terminal = true, ConsoleSize = new(30, 100) };
        await using var exec = await container.Sandbox.ExecAsync(new ExecRequest(process, null, new StreamSelection(true, true, true), Detach: false), Cancel);
        await exec.ResizeAsync(31, 101, Cancel);
        await exec.Streams!.Stream.WriteAsync("\n"u8.ToArray(), Cancel);
        using var reader = new StreamReader(exec.Streams.Stream, leaveOpen: true);
        var output = await reader.ReadToEndAsync(Cancel);
        Assert.Contains("/dev/pts/0\r\n", output);
        Assert.Contains("31 101\r\n", output);
        Assert.Equal(3, await exec.Exit.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    [Theory]
    [InlineData("no-such-program", 127)]
    [InlineData("/etc/passwd", 126)]
    public async Task An_exec_that_cannot_be_executed_says_so(string program, int code)
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        var failure = await Assert.ThrowsAsync<SandboxStartException>(() => container.ExecAsync([program]));
        Assert.Equal(code, failure.ExitCode);
    }

    [Fact]
    public async Task An_exec_runs_as_the_user_and_in_the_directory_asked_for()
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        var (code, stdout, _) = await container.ExecAsync(["sh", "-c", "id; pwd; echo $HOME; echo writable > /dev/stdout"], request => request with { User = "alice", Process = request.Process with { Cwd = "/home/alice" } });
        Assert.Equal(0, code);
        Assert.Equal("uid=1000(alice) gid=1001(alice) groups=50(staff)\n/home/alice\n/home/alice\nwritable\n", stdout);
    }

    [Fact]
    public async Task A_detached_exec_goes_on_by_itself()
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        await using var exec = await container.Sandbox.ExecAsync(new ExecRequest(Program(["sh", "-c", "touch /done; exit 5"]), null, StreamSelection.None, Detach: true), Cancel);
        Assert.Null(exec.Streams);
        Assert.Equal(5, await exec.Exit.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
        Assert.Equal(0, (await container.ExecAsync(["test", "-e", "/done"])).Code);
    }

    [Fact]
    public async Task Execs_end_with_the_container()
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        await using var exec = await container.Sandbox.ExecAsync(new ExecRequest(Program(["sleep", "1000"]), null, StreamSelection.None, Detach: true), Cancel);
        await container.Sandbox.SignalAsync(SignalNumber.Kill, all: false, Cancel);
        await container.ExitAsync();
        Assert.Equal(137, await exec.Exit.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    [Fact]
    public async Task An_exec_into_what_has_ended_is_refused()
    {
        await using var container = await StartAsync(["true"]);
        await container.ExitAsync();
        await Assert.ThrowsAnyAsync<WherryException>(() => container.ExecAsync(["true"]));
    }

    [Fact]
    public async Task Three_hundred_execs_at_once_all_answer()
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        var runs = await Task.WhenAll(Enumerable.Range(0, 300).Select(number => container.ExecAsync(["sh", "-c", $"echo {number}; exit {number % 250}"])));
        for (var i = 0; i < runs.Length; i++)
        {
            Assert.Equal((i % 250, $"{i}\n"), (runs[i].Code, runs[i].Stdout));
        }
    }
}
