using Wherry.Engine.Logs;

namespace Wherry.Engine.Tests.Logs;

public sealed class LogFollowTests : IDisposable
{
    private static readonly LogQuery Follow = LogReading.Everything with { Follow = true };
    private readonly TemporaryDirectory _directory = new();

    private string Path => _directory.Combine("c-json.log");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(300)]
    [InlineData(4_000)]
    [InlineData(long.MaxValue)]
    public async Task A_follower_gets_every_line_once_while_the_log_is_written_and_rotated(long maxSize)
    {
        const int lines = 1500;
        var ended = new TaskCompletionSource();
        var following = LogReading.ReadPlainAsync(Path, Follow, ended.Task);
        await Task.Run(
            () =>
            {
                using var writer = new LogWriter(Path, maxSize);
                for (var i = 0; i < lines; i++)
                {
                    writer.Write($"{i}\n");
                    if (i % 250 == 0)
                    {
                        Thread.Sleep(5);
                    }
                }

                ended.SetResult();
            },
            TestContext.Current.CancellationToken);
        var read = await following.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, lines).Select(i => $"{i}"), read.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Many_followers_of_one_log_each_get_all_of_it()
    {
        var ended = new TaskCompletionSource();
        var following = Enumerable.Range(0, 10).Select(_ => LogReading.ReadPlainAsync(Path, Follow, ended.Task)).ToArray();
        using (var writer = new LogWriter(Path, maxSize: 2_000))
        {
            for (var i = 0; i < 500; i++)
            {
                writer.Write($"{i}\n");
            }
        }

        ended.SetResult();
        var expected = string.Concat(Enumerable.Range(0, 500).Select(i => $"{i}\n"));
        Assert.All(await Task.WhenAll(following), read => Assert.Equal(expected, read));
    }

    [Fact]
    public async Task A_follower_with_tail_begins_with_the_last_lines_and_goes_on()
    {
        using var writer = new LogWriter(Path);
        writer.Write("old\n");
        writer.Write("last\n");
        var ended = new TaskCompletionSource();
        var following = LogReading.ReadPlainAsync(Path, Follow with { Tail = 1 }, ended.Task);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        writer.Rotate();
        writer.Write("new\n");
        await Task.Delay(50, TestContext.Current.CancellationToken);
        ended.SetResult();
        Assert.Equal("last\nnew\n", await following);
    }

    [Fact]
    public async Task A_line_written_in_two_halves_is_sent_once_it_is_whole()
    {
        using var writer = new LogWriter(Path);
        var record = LogWriter.Record("halves\n", "stdout", LogWriter.FirstTime);
        writer.WriteRaw(record[..20]);
        var ended = new TaskCompletionSource();
        var following = LogReading.ReadPlainAsync(Path, Follow with { Tail = 0 }, ended.Task);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        writer.WriteRaw(record[20..]);
        ended.SetResult();
        Assert.Equal("halves\n", await following);
    }

    [Fact]
    public async Task A_half_line_taken_back_on_a_full_disk_leaves_no_trace()
    {
        File.WriteAllText(Path, LogWriter.Record("before\n", "stdout", LogWriter.FirstTime));
        var whole = new FileInfo(Path).Length;
        File.AppendAllText(Path, "{\"log\":\"half");
        var ended = new TaskCompletionSource();
        var following = LogReading.ReadPlainAsync(Path, Follow, ended.Task);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        using (var file = new FileStream(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(whole);
        }

        File.AppendAllText(Path, LogWriter.Record("after\n", "stdout", LogWriter.FirstTime));
        await Task.Delay(50, TestContext.Current.CancellationToken);
        ended.SetResult();
        Assert.Equal("before\nafter\n", await following);
    }

    [Fact]
    public async Task A_follower_ends_when_the_time_asked_for_is_over()
    {
        using var writer = new LogWriter(Path);
        writer.Write("before\n");
        var until = TimeArgument.From(DateTimeOffset.UtcNow.AddMilliseconds(200));
        var following = LogReading.ReadPlainAsync(Path, Follow with { Until = until }, new TaskCompletionSource().Task);
        Assert.Equal("before\n", await following.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Lines_written_just_before_the_end_are_not_lost()
    {
        for (var round = 0; round < 50; round++)
        {
            var path = _directory.Combine($"round-{round}.log");
            var ended = new TaskCompletionSource();
            var following = LogReading.ReadPlainAsync(path, Follow, ended.Task);
            using (var writer = new LogWriter(path, maxSize: 150))
            {
                writer.Write("a\n");
                writer.Write("b\n");
            }

            ended.SetResult();
            Assert.Equal("a\nb\n", await following);
        }
    }

    [Fact]
    public async Task A_cancelled_follower_stops_at_once()
    {
        using var writer = new LogWriter(Path);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var pipe = new System.IO.Pipelines.Pipe();
        var following = LogReader.ReadAsync(Path, Follow, tty: true, new TaskCompletionSource().Task, pipe.Writer, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
    }
}
