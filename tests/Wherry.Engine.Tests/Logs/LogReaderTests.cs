using System.IO.Pipelines;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Wherry.Engine.Logs;

namespace Wherry.Engine.Tests.Logs;

public sealed class LogReaderTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Path => _directory.Combine("c-json.log");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_log_that_was_never_written_reads_as_empty()
    {
        Assert.Equal("", await LogReading.ReadPlainAsync(Path, LogReading.Everything));
        Assert.Equal("", await LogReading.ReadPlainAsync(Path, LogReading.Everything with { Follow = true, Tail = 5 }));
    }

    [Fact]
    public async Task Frames_carry_stream_and_length()
    {
        using var writer = new LogWriter(Path);
        writer.Write("to out\n");
        writer.Write("to err\n", "stderr");
        Assert.Equal(
            [((byte)1, "to out\n"), ((byte)2, "to err\n")],
            await LogReading.ReadFramesAsync(Path, LogReading.Everything));
    }

    [Fact]
    public async Task Only_the_streams_asked_for_are_sent()
    {
        using var writer = new LogWriter(Path);
        writer.Write("out\n");
        writer.Write("err\n", "stderr");
        Assert.Equal("err\n", await LogReading.ReadPlainAsync(Path, new LogQuery { Stderr = true }));
        Assert.Equal("out\n", await LogReading.ReadPlainAsync(Path, new LogQuery { Stdout = true }));
    }

    [Fact]
    public async Task A_line_without_line_feed_is_sent_as_it_was_written()
    {
        using var writer = new LogWriter(Path);
        writer.Write("password: ");
        writer.Write("ok\n");
        Assert.Equal("password: ok\n", await LogReading.ReadPlainAsync(Path, LogReading.Everything));
    }

    [Fact]
    public async Task Times_are_printed_with_nine_digits_whatever_the_log_has()
    {
        using var writer = new LogWriter(Path);
        writer.WriteRaw("{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05.5Z\"}\n");
        writer.WriteRaw("{\"log\":\"b\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05Z\"}\n");
        writer.WriteRaw("{\"log\":\"c\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05.123456789Z\"}\n");
        Assert.Equal(
            "2026-01-02T03:04:05.500000000Z a\n2026-01-02T03:04:05.000000000Z b\n2026-01-02T03:04:05.123456789Z c\n",
            await LogReading.ReadPlainAsync(Path, LogReading.Everything with { Timestamps = true }));
    }

    [Fact]
    public async Task Docker_s_attributes_between_the_keys_are_passed_over()
    {
        using var writer = new LogWriter(Path);
        writer.WriteRaw("{\"log\":\"a\\n\",\"stream\":\"stderr\",\"attrs\":{\"tag\":\"x\"},\"time\":\"2026-01-02T03:04:05Z\"}\n");
        Assert.Equal([((byte)2, "a\n")], await LogReading.ReadFramesAsync(Path, LogReading.Everything));
    }

    [Fact]
    public async Task Since_and_until_include_their_moments_to_the_nanosecond()
    {
        using var writer = new LogWriter(Path);
        for (var i = 1; i <= 5; i++)
        {
            writer.WriteRaw($"{{\"log\":\"{i}\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05.00000000{i}Z\"}}\n");
        }

        var second = TimeArgument.From(LogWriter.FirstTime).UnixNanoseconds;
        var query = LogReading.Everything with { Since = new TimeArgument(second + 2), Until = new TimeArgument(second + 4) };
        Assert.Equal("2\n3\n4\n", await LogReading.ReadPlainAsync(Path, query));
    }

    [Fact]
    public async Task A_torn_line_is_passed_over_and_what_follows_it_is_not()
    {
        using var writer = new LogWriter(Path);
        writer.Write("whole\n");
        writer.WriteRaw("{\"log\":\"torn by a ki");
        writer.Write("after restart\n");
        writer.WriteRaw("{\"log\":\"being writ");
        Assert.Equal("whole\nafter restart\n", await LogReading.ReadPlainAsync(Path, LogReading.Everything));
        Assert.Equal("after restart\n", await LogReading.ReadPlainAsync(Path, LogReading.Everything with { Tail = 1 }));
    }

    [Fact]
    public async Task A_text_that_looks_like_a_record_fools_nobody()
    {
        const string text = "{\"log\":\"x\\n\",\"stream\":\"stderr\",\"time\":\"2000-01-01T00:00:00Z\"}\n";
        using var writer = new LogWriter(Path);
        writer.Write(text);
        Assert.Equal([((byte)1, text)], await LogReading.ReadFramesAsync(Path, LogReading.Everything));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(999)]
    [InlineData(5000)]
    public async Task Tail_gives_the_last_lines_across_rotated_files(int tail)
    {
        using var writer = new LogWriter(Path, maxSize: 20_000);
        var lines = Enumerable.Range(0, 3000).Select(i => $"line {i} {new string('x', i % 50)}\n").ToArray();
        foreach (var line in lines)
        {
            writer.Write(line);
        }

        Assert.True(writer.Rotations > 5);
        Assert.Equal(
            string.Concat(lines.TakeLast(tail)),
            await LogReading.ReadPlainAsync(Path, LogReading.Everything with { Tail = tail }));
    }

    [Fact]
    public async Task Tail_counts_the_lines_of_the_streams_asked_for()
    {
        using var writer = new LogWriter(Path);
        writer.Write("out 1\n");
        writer.Write("out 2\n");
        for (var i = 0; i < 3000; i++)
        {
            writer.Write($"err {i}\n", "stderr");
        }

        Assert.Equal("out 2\n", await LogReading.ReadPlainAsync(Path, new LogQuery { Stdout = true, Tail = 1 }));
    }

    [Fact]
    public async Task Lines_longer_than_any_buffer_come_whole()
    {
        using var writer = new LogWriter(Path);
        var line = string.Concat(Enumerable.Range(0, 20_000).Select(i => (char)('a' + (i % 26)))) + "\"\\\t€😀\n";
        writer.Write(line + line + line + line + line + line);
        writer.Write("end\n");
        var expected = string.Concat(Enumerable.Repeat(line, 6)) + "end\n";
        Assert.Equal(expected, await LogReading.ReadPlainAsync(Path, LogReading.Everything));
        Assert.Equal(expected, await LogReading.ReadPlainAsync(Path, LogReading.Everything with { Tail = 2 }));
    }

    [Fact]
    public async Task A_gap_in_the_numbers_left_by_a_crash_hides_no_file()
    {
        File.WriteAllText(Path + ".3", LogWriter.Record("oldest\n", "stdout", LogWriter.FirstTime));
        File.WriteAllText(Path + ".1", LogWriter.Record("older\n", "stdout", LogWriter.FirstTime));
        File.WriteAllText(Path, LogWriter.Record("newest\n", "stdout", LogWriter.FirstTime));
        Assert.Equal("oldest\nolder\nnewest\n", await LogReading.ReadPlainAsync(Path, LogReading.Everything));
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_the_reading()
    {
        using var writer = new LogWriter(Path);
        for (var i = 0; i < 20_000; i++)
        {
            writer.Write($"line {i}\n");
        }

        var pipe = new Pipe();
        await pipe.Reader.CompleteAsync();
        await LogReader.ReadAsync(
            Path, LogReading.Everything with { Follow = true }, tty: true, new TaskCompletionSource().Task, pipe.Writer, TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Unescaping_gives_back_every_text_that_json_can_carry()
    {
        Prop.ForAll<string?>(value =>
        {
            var text = (value ?? "").Replace('\ud800', 'x');
            var valid = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
            var json = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(valid);
            var target = new byte[json.Length];
            var length = JsonText.Unescape(json.AsSpan(1, json.Length - 2), target);
            return Encoding.UTF8.GetString(target, 0, length) == valid;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void No_bytes_make_the_parser_throw()
    {
        Prop.ForAll<byte[]?>(bytes =>
        {
            byte[] line = [.. "{\"log\":\""u8, .. bytes ?? [], .. "\",\"stream\":\"stdout\",\"time\":\"2026"u8, .. bytes ?? [], .. "\"}"u8];
            if (LogRecord.TryParse(line, out var record))
            {
                _ = record.UnixNanoseconds;
                _ = record.WriteTime(new byte[64]);
                _ = JsonText.Unescape(record.Text, new byte[record.Text.Length]);
            }

            return true;
        }).QuickCheckThrowOnFailure();
    }
}
