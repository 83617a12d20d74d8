using Wherry.Cli.Formatting;
using Wherry.Cli.Tests.Support;

namespace Wherry.Cli.Tests;

public sealed class ListTests
{
    private const string Containers = """
        [{"Id":"0123456789abcdef","Names":["/web","/other/web"],"Image":"busybox","ImageID":"sha256:1","Command":"sh -c 'sleep 1000; echo done'",
          "Created":1,"State":"running","Status":"Up 3 minutes","Labels":{"k":"v","a":"b"},
          "Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},{"IP":"::","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},
                   {"IP":"0.0.0.0","PrivatePort":81,"PublicPort":8081,"Type":"tcp"},{"PrivatePort":443,"Type":"tcp"}]}]
        """;

    [Theory]
    [InlineData("ps -q", "0123456789ab\n")]
    [InlineData("ps -q --no-trunc", "0123456789abcdef\n")]
    [InlineData("ps --format {{.ID}}|{{.Names}}|{{.Label}}", null)]
    [InlineData("ps --format {{.ID}}|{{.Names}}|{{.State}}", "0123456789ab|web|running\n")]
    [InlineData("ps --format {{.Ports}}", "0.0.0.0:8080-8081->80-81/tcp, [::]:8080->80/tcp, 443/tcp\n")]
    [InlineData("ps --format {{.Labels}}", "a=b,k=v\n")]
    [InlineData("ps --format {{.Label\t\"k\"}}", "v\n")]
    [InlineData("ps --format table\t{{.Names}}\\t{{.Image}}", "NAMES     IMAGE\nweb       busybox\n")]
    public void Containers_are_listed_by_format(string line, string? expected)
    {
        using var engine = new RecordingEngine(static _ => (200, Containers));
        var run = CommandLineRun.Of(engine.Address, [.. line.Split(' ').Select(static w => w.Replace("\t", " ", StringComparison.Ordinal))]);
        if (expected is null)
        {
            Assert.NotEqual(0, run.ExitCode);
        }
        else
        {
            Assert.Equal(expected, run.Output);
        }
    }

    [Fact]
    public void The_json_format_holds_every_field_in_order()
    {
        using var engine = new RecordingEngine(static _ => (200, Containers));
        var run = CommandLineRun.Of(engine.Address, ["ps", "--format", "json"]);
        Assert.StartsWith("""{"Command":"\"sh -c 'sleep 1000; …\"","CreatedAt":"1970-01-01""", run.Output, StringComparison.Ordinal);
        Assert.Contains("\"Names\":\"web\"", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_fits_the_terminal_and_is_whole_elsewhere()
    {
        static string Print(int? width)
        {
            var table = new Table(["ID", "NAME", "NOTE"], [false, true, true]);
            table.Add(["0123456789ab", new string('n', 40), new string('x', 60)]);
            using var text = new StringWriter();
            table.Write(text, width);
            return text.ToString();
        }

        Assert.All(Print(60).TrimEnd('\n').Split('\n'), static line => Assert.True(line.Length <= 60, line));
        Assert.Contains("0123456789ab", Print(60), StringComparison.Ordinal);
        Assert.Contains("…", Print(60), StringComparison.Ordinal);
        Assert.Contains(new string('x', 60), Print(null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "0B")]
    [InlineData(999, "999B")]
    [InlineData(1234, "1.23kB")]
    [InlineData(120_000_000, "120MB")]
    [InlineData(4_260_000, "4.26MB")]
    public void Sizes_are_written_as_docker_writes_them(long bytes, string expected) => Assert.Equal(expected, Units.Size(bytes));
}
