using System.Text;
using Wherry.Daemon.Logging;
using Wherry.Daemon.Options;
using Wherry.Errors;

namespace Wherry.Api.Tests.Daemon;

public sealed class OptionTests
{
    private static DaemonOptions Combine(string[] arguments, string file = "{}") => OptionSources.Combine(
        CommandLine.Parse(arguments).Given, "/etc/test.json", ConfigFile.Parse("/etc/test.json", Encoding.UTF8.GetBytes(file)));

    [Fact]
    public void Without_arguments_everything_lies_in_its_usual_place()
    {
        var options = Combine([]);
        Assert.Equal("/var/lib/wherry", options.DataRoot);
        Assert.Equal(["unix:///run/wherry/wherry.sock"], options.EffectiveHosts);
        Assert.Equal("/run/wherry/wherryd.pid", options.EffectivePidFile);
        Assert.Equal(LogLevel.Info, options.LogLevel);
    }

    [Fact]
    public void The_socket_and_the_pid_file_follow_the_exec_root()
    {
        var options = Combine(["--exec-root", "/run/second"]);
        Assert.Equal(["unix:///run/second/wherry.sock"], options.EffectiveHosts);
        Assert.Equal("/run/second/wherryd.pid", options.EffectivePidFile);
    }

    [Theory]
    [InlineData("--host", "unix:///a")]
    [InlineData("--host=unix:///a")]
    [InlineData("-H", "unix:///a")]
    [InlineData("-H=unix:///a")]
    [InlineData("-Hunix:///a")]
    public void An_option_is_understood_in_every_spelling(params string[] arguments) =>
        Assert.Equal(["unix:///a"], Combine(arguments).Hosts);

    [Fact]
    public void Hosts_and_labels_add_up()
    {
        var options = Combine(["-H", "unix:///a", "--label=a=b", "-H", "tcp://127.0.0.1:1", "--label", "c=d=e"]);
        Assert.Equal(["unix:///a", "tcp://127.0.0.1:1"], options.Hosts);
        Assert.Equal(["a=b", "c=d=e"], options.Labels);
    }

    [Theory]
    [InlineData(LogLevel.Debug, "-D")]
    [InlineData(LogLevel.Debug, "--debug=true", "--log-level", "error")]
    [InlineData(LogLevel.Warn, "-l", "warn")]
    [InlineData(LogLevel.Info, "--debug=false")]
    internal void The_log_level_is_the_one_asked_for(LogLevel level, params string[] arguments) =>
        Assert.Equal(level, Combine(arguments).LogLevel);

    [Theory]
    [InlineData("unknown flag: --nope", "--nope")]
    [InlineData("unknown flag: -x", "-x")]
    [InlineData("unexpected argument: serve", "serve")]
    [InlineData("flag needs an argument: --data-root", "--data-root")]
    [InlineData("data-root: \"lib\" must be an absolute path", "--data-root", "lib")]
    [InlineData("log-level: \"loud\" is unknown: use debug, info, warn, error or fatal", "-l", "loud")]
    [InlineData("label: \"x\" must have the form key=value", "--label", "x")]
    [InlineData("bridge: \"much-too-long-name\" can't name a network link: it must have 1 to 15 characters without '/', ':' and spaces", "-b", "much-too-long-name")]
    public void A_wrong_option_is_named(string message, params string[] arguments)
    {
        var wrong = Assert.Throws<WherryException>(() => Combine(arguments));
        Assert.Equal(message, wrong.Message);
    }

    [Fact]
    public void The_file_has_the_options_names_and_plurals()
    {
        var options = Combine([], """{"data-root":"/d","hosts":["unix:///a","unix:///b"],"debug":true,"labels":["k=v"],"cgroup-parent":"x"}""");
        Assert.Equal("/d", options.DataRoot);
        Assert.Equal(["unix:///a", "unix:///b"], options.Hosts);
        Assert.Equal(LogLevel.Debug, options.LogLevel);
        Assert.Equal(["k=v"], options.Labels);
        Assert.Equal("x", options.CgroupParent);
    }

    [Fact]
    public void Flag_and_file_may_not_both_speak()
    {
        var wrong = Assert.Throws<WherryException>(() => Combine(["--data-root", "/a", "-H", "unix:///x"], """{"data-root":"/b","hosts":["unix:///y"],"debug":true}"""));
        Assert.Contains("specified both as a flag and in the configuration file", wrong.Message);
        Assert.Contains("data-root: (from flag: /a, from file: /b)", wrong.Message);
        Assert.Contains("host: (from flag: unix:///x, from file: unix:///y)", wrong.Message);
    }

    [Theory]
    [InlineData("""{"data-rot":"/a","zzz":1}""", "the following directives don't match any configuration option: data-rot, zzz")]
    [InlineData("""{"debug":"yes"}""", "\"debug\" must be true or false")]
    [InlineData("""{"hosts":"unix:///a"}""", "\"hosts\" must be a list of strings")]
    [InlineData("""{"data-root":5}""", "\"data-root\" must be a string")]
    [InlineData("""["a"]""", "is not a JSON object")]
    [InlineData("""{""", "is not a JSON object")]
    public void A_wrong_file_is_an_error_that_says_where(string file, string message)
    {
        var wrong = Assert.Throws<WherryException>(() => Combine([], file));
        Assert.StartsWith("configuration file /etc/test.json", wrong.Message);
        Assert.Contains(message, wrong.Message);
    }

    [Fact]
    public void Images_go_by_themselves_only_when_and_as_asked()
    {
        Assert.True(Combine([]).ImageGc.IsOff);
        var options = Combine([], """{"image-gc":{"unused-for":"30d","keep-free":"10%","tagged":true,"every":"5m"}}""").ImageGc;
        Assert.Equal((TimeSpan.FromDays(30), true, TimeSpan.FromMinutes(5)), (options.UnusedFor, options.Tagged, options.Every));
        Assert.Equal(10_000, options.KeepFree!.Value.Of(100_000));
        Assert.Equal(2_000_000_000, Combine(["--image-gc", """{"keep-free":"2GB"}"""]).ImageGc.KeepFree!.Value.Of(100));
    }

    [Theory]
    [InlineData("{}", "neither unused-for nor keep-free is given")]
    [InlineData("""{"tagged":true}""", "neither unused-for nor keep-free is given")]
    [InlineData("""{"unused-for":"0"}""", "must be more than nothing")]
    [InlineData("""{"unused-for":30}""", "unused-for must be a string")]
    [InlineData("""{"keep-free":"100%"}""", "must be a share from 1% to 99%")]
    [InlineData("""{"keep-free":"much"}""", "must be a size")]
    [InlineData("""{"keep-free":"1GB","tagged":"yes"}""", "tagged must be true or false")]
    [InlineData("""{"keep-free":"1GB","keep-free":"2GB"}""", "keep-free is given twice")]
    [InlineData("""{"age":"1d"}""", "unknown member age")]
    [InlineData("[]", "must be an object")]
    [InlineData("{", "image-gc")]
    public void Rules_for_images_that_make_no_sense_are_refused(string json, string says) =>
        Assert.Contains(says, Assert.Throws<WherryException>(() => Combine(["--image-gc", json])).Message);

    [Fact]
    public void The_usage_names_every_option()
    {
        var usage = Usage.Text();
        Assert.All(OptionDefinition.All, option => Assert.Contains("--" + option.Name, usage));
    }
}
