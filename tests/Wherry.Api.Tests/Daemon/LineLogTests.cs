using System.Text;
using Wherry.Daemon.Logging;

namespace Wherry.Api.Tests.Daemon;

public sealed class LineLogTests
{
    [Fact]
    public void What_a_client_sent_can_neither_forge_a_line_nor_steer_a_terminal()
    {
        using var output = new MemoryStream();
        new LineLog(output, LogLevel.Debug).Request("GET", "/a\nlevel=fatal\u001b[31m\"", 200);
        var line = Encoding.UTF8.GetString(output.ToArray());
        Assert.Equal(1, line.Count(c => c == '\n'));
        Assert.EndsWith("level=debug msg=\"GET /a\\nlevel=fatal\\u001b[31m\\\" 200\"\n", line);
    }

    [Fact]
    public void Lines_below_the_level_are_left_out()
    {
        using var output = new MemoryStream();
        var log = new LineLog(output, LogLevel.Warn);
        log.Info("quiet");
        log.Write(LogLevel.Warn, "loud");
        Assert.Contains("level=warning msg=\"loud\"", Encoding.UTF8.GetString(output.ToArray()));
        Assert.DoesNotContain("quiet", Encoding.UTF8.GetString(output.ToArray()));
    }
}
