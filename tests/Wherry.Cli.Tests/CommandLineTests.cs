using System.Diagnostics;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Tests.Support;

namespace Wherry.Cli.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("create -name web busybox", "/containers/create?name=web")]
    [InlineData("create -name=web -privileged -rm busybox", "/containers/create?name=web")]
    [InlineData("create -entrypoint /bin/ls -volumes-from x -name web busybox", "/containers/create?name=web")]
    [InlineData("ps -aq", "/containers/json?all=1")]
    [InlineData("ps -notrunc -a", "/containers/json?all=1")]
    [InlineData("container ls -a", "/containers/json?all=1")]
    [InlineData("container list --all=true", "/containers/json?all=1")]
    [InlineData("volume ls", "/volumes")]
    public void Early_spellings_and_grouped_forms_are_understood(string line, string target)
    {
        using var engine = new RecordingEngine(static _ => (500, """{"message":"recorded"}"""));
        _ = CommandLineRun.Of(engine.Address, line.Split(' '));
        Assert.Equal(target, Assert.Single(engine.Requests).Target);
    }

    [Fact]
    public void A_cluster_of_flags_is_never_taken_for_a_long_option()
    {
        using var engine = new RecordingEngine(static _ => (500, """{"message":"recorded"}"""));
        _ = CommandLineRun.Of(engine.Address, ["create", "-it", "busybox"]);
        Assert.Contains("\"Tty\":true,\"OpenStdin\":true", Assert.Single(engine.Requests).Body, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_image_says_how_to_get_one()
    {
        using var engine = new RecordingEngine(static _ => (404, """{"message":"No such image: nope:latest"}"""));
        var run = CommandLineRun.Of(engine.Address, ["run", "--pull", "never", "nope"]);
        Assert.Equal(125, run.ExitCode);
        Assert.StartsWith("wherry: No such image: nope:latest\n", run.Error, StringComparison.Ordinal);
        Assert.Contains("wherry image bootstrap", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_image_is_pulled_before_the_container_is_made()
    {
        using var engine = new RecordingEngine(static _ => (404, """{"message":"No such image: nope:latest"}"""));
        var run = CommandLineRun.Of(engine.Address, ["create", "nope"]);
        Assert.Equal(["/containers/create", "/images/create?fromImage=nope&tag=latest"], engine.Requests.Select(static request => request.Target));
        Assert.StartsWith("Unable to find image 'nope:latest' locally\n", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("debian:bookworm", true)]
    [InlineData("busybox", true)]
    [InlineData("debian", false)]
    [InlineData("nope", false)]
    public void Where_no_registry_answers_images_that_can_be_made_are_said_to_be(string image, bool canBeMade)
    {
        using var engine = new RecordingEngine(static request => request.Target.StartsWith("/images/create", StringComparison.Ordinal)
            ? (503, "{\"message\":\"no answer\"}")
            : (404, "{\"message\":\"No such image: it\"}"));
        var run = CommandLineRun.Of(engine.Address, ["run", image, "true"]);
        Assert.Equal(125, run.ExitCode);
        Assert.Contains("wherry: no answer\n", run.Error, StringComparison.Ordinal);
        Assert.Equal(canBeMade, run.Error.Contains($"'wherry image bootstrap {image}' makes it", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_an_engine_the_error_says_how_to_start_one()
    {
        var run = CommandLineRun.Of("unix:///nonexistent/wherry.sock", ["ps"]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("is wherryd running?", run.Error, StringComparison.Ordinal);
        Assert.Contains("wherryd -H unix:///nonexistent/wherry.sock", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pss", "wherry ps")]
    [InlineData("imgaes", "wherry images")]
    [InlineData("container lss", "wherry container ls")]
    public void A_mistyped_command_is_guessed(string line, string guess)
    {
        var run = CommandLineRun.Of(null, line.Split(' '));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"Did you mean '{guess}'?", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_command_has_help()
    {
        // Where all words are another program's, so is the help: asking for it here would become that program.
        foreach (var entry in CommandCatalog.Entries.Where(entry => !entry.Create().TakesWordsAsTheyAre))
        {
            var run = CommandLineRun.Of(null, [.. entry.Path.Split(' '), "--help"]);
            Assert.Equal(0, run.ExitCode);
            Assert.StartsWith($"Usage:  wherry {entry.Path}", run.Output, StringComparison.Ordinal);
            Assert.Contains(entry.Summary, run.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("wherry ru", "run")]
    [InlineData("wherry image boots", "bootstrap")]
    [InlineData("wherry run --privi", "--privileged")]
    [InlineData("wherry container exec --inter", "--interactive")]
    [InlineData("wherry -H unix:///x volume l", "ls")]
    [InlineData("wherry completion z", "zsh")]
    public void The_bash_script_completes_in_a_real_bash(string line, string expected)
    {
        var script = CommandLineRun.Of(null, ["completion", "bash"]).Output;
        var words = line.Split(' ');
        var start = new ProcessStartInfo("bash", ["--norc", "-c", $$"""
            source /dev/stdin
            COMP_LINE="$1" COMP_POINT=${#1} COMP_WORDS=($1) COMP_CWORD={{words.Length - 1}}
            _wherry
            printf '%s\n' "${COMPREPLY[@]}"
            """, "bash", line]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var bash = Process.Start(start)!;
        bash.StandardInput.Write(script);
        bash.StandardInput.Close();
        var offered = bash.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("", bash.StandardError.ReadToEnd());
        Assert.Equal([expected], offered);
    }

    [Theory]
    [InlineData("zsh", "#compdef wherry")]
    [InlineData("fish", "complete -c wherry -n '__wherry_using run' -s i -l interactive")]
    public void Other_shells_have_scripts_too(string shell, string expected)
        => Assert.Contains(expected, CommandLineRun.Of(null, ["completion", shell]).Output, StringComparison.Ordinal);
}
