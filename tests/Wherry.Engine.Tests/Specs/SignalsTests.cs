using Wherry.Engine.Specs;
using Wherry.Errors;

namespace Wherry.Engine.Tests.Specs;

public sealed class SignalsTests
{
    [Theory]
    [InlineData("KILL", 9)]
    [InlineData("SIGKILL", 9)]
    [InlineData("sigterm", 15)]
    [InlineData("9", 9)]
    [InlineData("RTMIN", 34)]
    [InlineData("SIGRTMIN+3", 37)]
    [InlineData("RTMAX-14", 50)]
    [InlineData("RTMAX", 64)]
    [InlineData("WINCH", 28)]
    [InlineData("IOT", 6)]
    [InlineData("64", 64)]
    public void Signals_are_known_by_name_and_number(string text, int number) => Assert.Equal(number, Signals.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("SIG")]
    [InlineData("0")]
    [InlineData("65")]
    [InlineData("-9")]
    [InlineData("RTMIN+31")]
    [InlineData("RTMAX+1")]
    [InlineData("BREAKFAST")]
    public void Anything_else_is_refused_in_docker_s_words(string text) =>
        Assert.Equal($"invalid signal: {text}", Assert.Throws<WherryException>(() => Signals.Parse(text)).Message);
}
