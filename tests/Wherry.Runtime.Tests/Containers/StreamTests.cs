using System.Globalization;
using System.Text;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Containers;

[Collection(ContainerCollection.Name)]
public sealed class StreamTests
{
    [Fact]
    public async Task Log_keeps_streams_apart_and_lines_whole()
    {
        await using var container = await StartAsync(["sh", "-c", "echo out; echo err >&2; printf 'tab\\t \"quoted\" \\\\ \\001 end'; printf '\\303\\244\\377\\n' >&2"]);
        await container.ExitAsync();
        Assert.Equal("out\ntab\t \"quoted\" \\ \u0001 end", container.Log("stdout"));
        Assert.Equal("err\nä\ufffd\n", container.Log("stderr"));
    }

    [Fact]
    public async Task No_line_is_lost_or_doubled_at_high_volume()
    {
        const int lines = 200_000;
        await using var container = await StartAsync(["seq", "1", lines.ToString(CultureInfo.InvariantCulture)]);
        await container.ExitAsync();
        var expected = 0;
        foreach (var (text, _, _) in container.LogLines())
        {
            Assert.Equal($"{++expected}\n", text);
        }

        Assert.Equal(lines, expected);
    }

    [Fact]
    public async Task A_line_longer_than_16_kB_comes_in_pieces_that_add_up()
    {
        await using var container = await StartAsync(["sh", "-c", "head -c 100000 /dev/zero | tail -c 100000 | dd bs=7 2>/dev/null; echo; echo next"]);
        await container.ExitAsync();
        var lines = container.LogLines().Select(line => line.Text).ToList();
        Assert.Equal(new string('\0', 100_000) + "\nnext\n", string.Concat(lines));
        Assert.All(lines, line => Assert.True(line.Length <= 16 * 1024));
        Assert.Equal(8, lines.Count);
    }

    [Fact]
    public async Task Log_rotates_at_its_size_and_keeps_so_many_files()
    {
        await using var container = await StartAsync(["seq", "1", "5000"], request => WithOptions(request, options => options with { Log = options.Log! with { MaxSizeBytes = 50_000, MaxFiles = 3 } }));
        await container.ExitAsync();
        foreach (var suffix in (string[])["", ".1", ".2"])
        {
            Assert.InRange(new FileInfo(container.LogPath + suffix).Length, 1, 50_000);
        }

        Assert.False(File.Exists(container.LogPath + ".3"));
        var kept = ((string[])[".2", ".1", ""]).SelectMany(suffix => container.LogLines(suffix)).Select(line => int.Parse(line.Text, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(Enumerable.Range(kept[0], 5001 - kept[0]), kept);
    }

    [Fact]
    public async Task An_attached_client_feeds_the_program_and_reads_it_to_the_end()
    {
        await using var container = await CreateAsync(["sh", "-c", "cat; echo done >&2; exit 4"], request => WithOptions(request, options => options with { OpenStdin = true, StdinOnce = true }));
        await using var streams = await container.Sandbox.AttachAsync(new StreamSelection(true, true, true), Cancel);
        await container.Sandbox.StartAsync(Cancel);
        var sent = string.Concat(Enumerable.Range(0, 50_000).Select(number => $"{number}\n"));
        var reading = ReadFramesAsync(streams.Stream);
        await streams.Stream.WriteAsync(Encoding.ASCII.GetBytes(sent), Cancel);
        streams.CompleteInput();
        var (stdout, stderr) = await reading;
        Assert.Equal(sent, stdout);
        Assert.Equal("done\n", stderr);
        Assert.Equal(4, (await container.ExitAsync()).ExitCode);
        Assert.Equal(sent, container.Log("stdout"));
    }

    [Fact]
    public async Task Input_stays_open_for_the_next_client_unless_asked_otherwise()
    {
        await using var container = await StartAsync(["cat"], request => WithOptions(request, options => options with { OpenStdin = true }));
        for (var i = 0; i < 2; i++)
        {
            await using var streams = await container.Sandbox.AttachAsync(new StreamSelection(true, true, true), Cancel);
            await streams.Stream.WriteAsync("x\n"u8.ToArray(), Cancel);
            var frame = new byte[10];
            await streams.Stream.ReadExactlyAsync(frame, Cancel);
            Assert.Equal((byte)'x', frame[8]);
        }

        await container.Sandbox.SignalAsync(9, all: false, Cancel);
        await container.ExitAsync();
    }

    [Fact]
    public async Task A_slow_client_holds_the_program_back_and_loses_nothing()
    {
        const int lines = 300_000;
        await using var container = await CreateAsync(["seq", "1", lines.ToString(CultureInfo.InvariantCulture)]);
        await using var streams = await container.Sandbox.AttachAsync(new StreamSelection(false, true, false), Cancel);
        await container.Sandbox.StartAsync(Cancel);
        await Task.Delay(500, Cancel);
        Assert.False(container.Sandbox.Exit.IsCompleted, "the program ran on although nobody read");
        Assert.True(new FileInfo(container.LogPath).Length < 40_000_000 / 2);

        var (stdout, _) = await ReadFramesAsync(streams.Stream);
        Assert.Equal(0, (await container.ExitAsync()).ExitCode);
        Assert.Equal(string.Concat(Enumerable.Range(1, lines).Select(number => $"{number}\n")), stdout);
    }

    [Fact]
    public async Task A_client_that_leaves_lets_the_program_go_on()
    {
        await using var container = await CreateAsync(["seq", "1", "300000"]);
        var streams = await container.Sandbox.AttachAsync(new StreamSelection(false, true, false), Cancel);
        await container.Sandbox.StartAsync(Cancel);
        await Task.Delay(100, Cancel);
        await streams.DisposeAsync();
        Assert.Equal(0, (await container.ExitAsync()).ExitCode);
        Assert.Equal(300_000, container.LogLines().Count());
    }

    [Fact]
    public async Task A_terminal_has_the_size_asked_for_and_takes_another()
    {
        await using var container = await CreateAsync(
            ["sh", "-c", "tty; stty size; read line; stty size; echo got $line; exit 6"],
            request => WithOptions(WithProcess(request, process => process with { Terminal = true, ConsoleSize = new(24, 80) }), options => options with { OpenStdin = true }));
        await using var streams = await container.Sandbox.AttachAsync(new StreamSelection(true, true, true), Cancel);
        await container.Sandbox.StartAsync(Cancel);
        await container.Sandbox.ResizeAsync(50, 132, Cancel);
        await streams.Stream.WriteAsync("hello\n"u8.ToArray(), Cancel);
        using var reader = new StreamReader(streams.Stream, leaveOpen: true);
        var output = await reader.ReadToEndAsync(Cancel);
        Assert.Contains("/dev/pts/0\r\n", output);
        Assert.Contains("50 132\r\n", output);
        Assert.Contains("got hello\r\n", output);
        Assert.Equal(6, (await container.ExitAsync()).ExitCode);
    }
}
