using Wherry.Linux.Signals;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Containers;

[Collection(ContainerCollection.Name)]
public sealed class InitTests
{
    [Fact]
    public async Task Orphans_are_reaped()
    {
        var output = await OutputOfAsync(
            "for i in 1 2 3; do (true & true) ; done; sleep 0.3; for stat in /proc/[0-9]*/stat; do cat $stat; done | grep -c ' Z '",
            request => WithOptions(request, options => options with { Init = true }));
        Assert.Equal("0\n", output);
    }

    [Fact]
    public async Task Signals_reach_the_program_and_its_exit_code_comes_out()
    {
        await using var container = await StartAsync(
            ["sh", "-c", "trap 'echo caught; exit 9' TERM; echo ready; while true; do sleep 0.05; done"],
            request => WithOptions(request, options => options with { Init = true }));
        while (container.Log("stdout").Length == 0)
        {
            await Task.Delay(10, Cancel);
        }

        await container.Sandbox.SignalAsync(SignalNumber.Term, all: false, Cancel);
        Assert.Equal(9, (await container.ExitAsync()).ExitCode);
        Assert.Equal("ready\ncaught\n", container.Log("stdout"));
    }

    [Fact]
    public async Task The_first_process_has_no_more_power_than_the_program_on_any_thread()
    {
        var output = await OutputOfAsync(
            "grep -h -E '^(Cap|Uid|Groups)' /proc/self/status > /tmp/mine; for task in /proc/1/task/*; do grep -h -E '^(Cap|Uid|Groups)' $task/status > /tmp/its; busybox cmp /tmp/mine /tmp/its && echo same; done",
            request => WithOptions(request, options => options with { Init = true }));
        Assert.Equal("same\nsame\n", output);
    }

    [Fact]
    public async Task The_first_process_keeps_nothing_open_of_what_it_was_made_with()
    {
        await using var container = await StartAsync(["sleep", "1000"], request => WithOptions(request, options => options with { Init = true }));
        var pid = container.Sandbox.HostPid!.Value;
        while (!File.ReadAllText($"/proc/{pid}/comm").StartsWith("wherry-init", StringComparison.Ordinal))
        {
            await Task.Delay(10, Cancel);
        }

        Assert.Equal(["0", "1", "2"], Directory.GetFileSystemEntries($"/proc/{pid}/fd").Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_program_that_cannot_be_executed_says_so_under_init_too()
    {
        await using var container = await CreateAsync(["no-such-program"], request => WithOptions(request, options => options with { Init = true }));
        var failure = await Assert.ThrowsAsync<Contracts.SandboxStartException>(() => container.Sandbox.StartAsync(Cancel));
        Assert.Equal(127, failure.ExitCode);
    }

    [Fact]
    public async Task A_terminal_works_under_init()
    {
        await using var container = await StartAsync(
            ["sh", "-c", "tty; read x < /dev/tty; echo $x"],
            request => WithOptions(WithProcess(request, process => process with { Terminal = true }), options => options with { Init = true, OpenStdin = true }));
        await using var streams = await container.Sandbox.AttachAsync(new Contracts.StreamSelection(true, true, true), Cancel);
        await streams.Stream.WriteAsync("typed\n"u8.ToArray(), Cancel);
        Assert.Equal(0, (await container.ExitAsync()).ExitCode);
        Assert.Contains("typed\r\n", container.Log("stdout"));
    }
}
