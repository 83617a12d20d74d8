using Wherry.Engine.Logs;
using Wherry.Errors;

namespace Wherry.Engine.Tests.Logs;

public sealed class TimeArgumentTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData("1136073845", 1136073845000000000)]
    [InlineData("1136073845.000000001", 1136073845000000001)]
    [InlineData("1136073845.5", 1136073845500000000)]
    [InlineData("2026-01-02T03:04:05.123456789Z", 1767323045123456789)]
    [InlineData("2026-01-02T03:04:05Z", 1767323045000000000)]
    [InlineData("2026-01-02T04:04:05+01:00", 1767323045000000000)]
    [InlineData("2026-01-02T03:04", 1767323040000000000)]
    [InlineData("2026-01-02", 1767312000000000000)]
    [InlineData("10m", 1767322445000000000)]
    [InlineData("1h30m", 1767317645000000000)]
    [InlineData("1.5s", 1767323043500000000)]
    [InlineData("300ms", 1767323044700000000)]
    public void Every_form_docker_takes_is_understood(string text, long nanoseconds) =>
        Assert.Equal(nanoseconds, TimeArgument.Parse(text, Now)!.Value.UnixNanoseconds);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    public void Nothing_asked_is_nothing(string? text) => Assert.Null(TimeArgument.Parse(text, Now));

    [Theory]
    [InlineData("yesterday")]
    [InlineData("10x")]
    [InlineData("2026-13-02T03:04:05Z")]
    [InlineData("99999999999999999999")]
    [InlineData("99999999999999999999h")]
    public void Anything_else_is_refused_by_name(string text)
    {
        var failure = Assert.Throws<WherryException>(() => TimeArgument.Parse(text, Now));
        Assert.Equal(ErrorKind.InvalidParameter, failure.Kind);
        Assert.Contains(text, failure.Message);
    }

    [Theory]
    [InlineData("all", null)]
    [InlineData("", null)]
    [InlineData("-1", null)]
    [InlineData("12", 12)]
    [InlineData("0", 0)]
    public void Tail_is_a_number_or_everything(string text, int? lines) => Assert.Equal(lines, LogQuery.ParseTail(text));
}
