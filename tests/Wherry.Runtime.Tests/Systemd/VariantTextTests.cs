using Wherry.Errors;
using Wherry.Linux.DBus;
using Wherry.Runtime.Systemd;

namespace Wherry.Runtime.Tests.Systemd;

/// <summary>Values of a unit's properties as annotations write them down.</summary>
public sealed class VariantTextTests
{
    [Theory]
    [InlineData("true", "b", "01000000")]
    [InlineData("15", "i", "0f000000")]
    [InlineData(" -1 ", "i", "ffffffff")]
    [InlineData("-2147483648", "i", "00000080")]
    [InlineData("0x1f", "i", "1f000000")]
    [InlineData("byte 255", "y", "ff")]
    [InlineData("int16 -32768", "n", "0080")]
    [InlineData("uint16 65535", "q", "ffff")]
    [InlineData("uint32 7", "u", "07000000")]
    [InlineData("int64 -9223372036854775808", "x", "0000000000000080")]
    [InlineData("uint64 18446744073709551615", "t", "ffffffffffffffff")]
    [InlineData("1.5", "d", "000000000000f83f")]
    [InlineData("double 1", "d", "000000000000f03f")]
    [InlineData("'a'", "s", "010000006100")]
    [InlineData("\"it's\"", "s", "040000006974277300")]
    [InlineData(@"'\'\\\n\u00e4'", "s", "05000000275c0ac3a400")]
    [InlineData("@as []", "as", "00000000")]
    [InlineData("['a', 'b']", "as", "0e000000" + "0100000061000000" + "010000006200")]
    [InlineData("[uint64 1, 2]", "at", "10000000" + "0100000000000000" + "0200000000000000")]
    [InlineData("('a', true)", "(sb)", "0100000061000000" + "01000000")]
    [InlineData("[('a', uint32 1)]", "a(su)", "0c00000000000000" + "0100000061000000" + "01000000")]
    [InlineData("@a(sb) [('a', false),]", "a(sb)", "0c00000000000000" + "0100000061000000" + "00000000")]
    public void Values_are_marshalled_by_their_type(string text, string signature, string bytes)
    {
        var value = VariantText.Parse(text);
        var writer = new BusWriter();
        value.WriteTo(writer);
        var written = Convert.ToHexStringLower(writer.Written);

        // The signature's length, itself and a zero; then zeros to where the value begins.
        var header = $"{signature.Length:x2}{Convert.ToHexStringLower(System.Text.Encoding.ASCII.GetBytes(signature))}00";
        Assert.StartsWith(header, written, StringComparison.Ordinal);
        Assert.EndsWith(bytes, written, StringComparison.Ordinal);
        Assert.Matches("^(00){0,7}$", written[header.Length..^bytes.Length]);
    }

    [Theory]
    [InlineData("", "a value is missing")]
    [InlineData("1 2", "something follows")]
    [InlineData("byte 256", "out of the range")]
    [InlineData("uint32 -1", "out of the range")]
    [InlineData("2147483648", "out of the range")]
    [InlineData("18446744073709551616", "is no number")]
    [InlineData("--1", "is no number")]
    [InlineData("1.2.3", "is no number")]
    [InlineData("uint32 1.5", "not of the type")]
    [InlineData("uint32 'a'", "not of the type")]
    [InlineData("'a", "does not end")]
    [InlineData("'a\0b'", "does not end")]
    [InlineData(@"'\x'", "escape")]
    [InlineData(@"'\", "escape")]
    [InlineData("[]", "has to be said")]
    [InlineData("[1", "is missing")]
    [InlineData("[1 2]", "a comma")]
    [InlineData("[1, 'a']", "not of the type")]
    [InlineData("[uint32 1, uint64 2]", "stands where")]
    [InlineData("()", "lacks members")]
    [InlineData("@(ss) ('a')", "lacks members")]
    [InlineData("@(s) ('a', 'b')", "more members")]
    [InlineData("@( ('a')", "not a type")]
    [InlineData("@ss 'a'", "is no type")]
    [InlineData("@v 1", "not a type")]
    [InlineData("handle 1", "neither a value nor a type")]
    [InlineData("{'a': 1}", "a value is missing")]
    [InlineData("byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte 1", "too deeply")]
    public void What_is_none_is_refused_with_the_reason(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => VariantText.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Neither_depth_nor_length_is_a_crash()
    {
        Assert.Throws<FormatException>(() => VariantText.Parse(new string('[', 100_000)));
        Assert.Throws<FormatException>(() => VariantText.Parse($"@{new string('a', 100_000)}s []"));
        Assert.Throws<FormatException>(() => VariantText.Parse($"@{new string('(', 250)} []"));
        Assert.Throws<FormatException>(() => VariantText.Parse($"({string.Join(',', Enumerable.Repeat('1', 300))})"));
    }

    [Fact]
    public void Annotations_are_properties_by_their_name()
    {
        var properties = UnitAnnotations.Of(new Dictionary<string, string>
        {
            ["org.systemd.property.TimeoutStopUSec"] = "uint64 90",
            ["org.systemd.property.TimeoutStopSec"] = "2.5",
            ["org.systemd.property.JobTimeoutSec"] = "3",
            ["org.systemd.property.Sec"] = "3",
            ["org.systemd.else"] = "nonsense",
        });
        Assert.Equal(
            [
                new UnitProperty("JobTimeoutUSec", new Variant("t", 3_000_000UL)), new UnitProperty("Sec", new Variant("i", 3UL)),
                new UnitProperty("TimeoutStopUSec", new Variant("t", 2_500_000UL)), new UnitProperty("TimeoutStopUSec", new Variant("t", 90UL)),
            ],
            properties);
        Assert.Empty(UnitAnnotations.Of(null));
    }

    [Theory]
    [InlineData("Kill-Signal", "15", "name incorrect")]
    [InlineData("", "15", "name incorrect")]
    [InlineData("KillSignal", "SIGTERM", "value parse error")]
    [InlineData("TimeoutStopSec", "'10'", "not a number of seconds")]
    [InlineData("TimeoutStopSec", "-1", "not a number of seconds")]
    [InlineData("TimeoutStopSec", "1e300", "not a number of seconds")]
    public void Annotations_that_name_none_are_refused(string name, string value, string reason) =>
        Assert.Contains(
            reason,
            Assert.Throws<WherryException>(() => UnitAnnotations.Of(new Dictionary<string, string> { ["org.systemd.property." + name] = value })).Message,
            StringComparison.Ordinal);
}
