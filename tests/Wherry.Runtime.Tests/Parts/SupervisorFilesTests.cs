using System.Text;
using System.Text.Json;
using Wherry.Runtime.Contracts;
using Wherry.Shim.Logs;
using Wherry.Shim.Streams;
using Wherry.Shim.Supervision;

namespace Wherry.Runtime.Tests.Parts;

public sealed class SupervisorFilesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("wherry-log-").FullName;

    [Theory]
    [InlineData(0, "2026-01-02T03:04:05Z")]
    [InlineData(1, "2026-01-02T03:04:05.0000001Z")]
    [InlineData(1_200_000, "2026-01-02T03:04:05.12Z")]
    public void Times_are_rfc3339_without_zeros_at_the_end(long ticks, string expected)
    {
        var text = new byte[40];
        var length = LogTime.Format(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(ticks), text);
        Assert.Equal(expected, Encoding.ASCII.GetString(text, 0, length));
    }

    [Fact]
    public void An_exit_record_is_read_as_it_was_written()
    {
        var record = new ExitRecord { ExitCode = 127, OomKilled = true, FinishedAt = DateTimeOffset.UtcNow, StartedAt = DateTimeOffset.UtcNow.AddSeconds(-1), Error = "exec: \"x\\y\": ü\n" };
        Assert.Equal(record, JsonSerializer.Deserialize(ExitRecordFile.Format(record), SandboxJson.Default.ExitRecord));
        Assert.Null(JsonSerializer.Deserialize(ExitRecordFile.Format(record with { StartedAt = null }), SandboxJson.Default.ExitRecord)!.StartedAt);
    }

    [Fact]
    public void Output_in_any_pieces_makes_the_same_lines()
    {
        var output = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 2000).Select(number => $"line {number} äöü \"{new string('x', number % 97)}\"\n")) + new string('y', 40_000) + "\nlast without end");
        var whole = Write(output, output.Length);
        foreach (var size in (int[])[1, 7, 4096, 16 * 1024])
        {
            Assert.Equal(whole, Write(output, size));
        }

        Assert.Equal(Encoding.UTF8.GetString(output), string.Concat(whole));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private List<string> Write(byte[] output, int pieceSize)
    {
        var path = Path.Combine(_directory, $"log-{pieceSize}");
        using (var log = new JsonLog(new LogFile(path, 0, 1)))
        {
            for (var at = 0; at < output.Length; at += pieceSize)
            {
                log.Write(OutputKind.Stdout, output.AsSpan(at, Math.Min(pieceSize, output.Length - at)));
            }

            log.End();
        }

        return [.. File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("log").GetString()!)];
    }
}
