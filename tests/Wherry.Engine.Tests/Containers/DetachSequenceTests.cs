using System.Text;
using Wherry.Engine.Containers;
using Wherry.Errors;

namespace Wherry.Engine.Tests.Containers;

public sealed class DetachSequenceTests
{
    [Fact]
    public void The_default_keys_detach_and_are_not_passed_on()
    {
        var sequence = DetachSequence.Parse(null);
        Assert.Equal("ls\n", Text(sequence.Filter("ls\n\u0010\u0011rest"u8)));
        Assert.True(sequence.Completed);
    }

    [Fact]
    public void Keys_split_over_two_reads_still_detach()
    {
        var sequence = DetachSequence.Parse("ctrl-p,ctrl-q");
        Assert.Empty(sequence.Filter([16]));
        Assert.False(sequence.Completed);
        Assert.Empty(sequence.Filter([17]));
        Assert.True(sequence.Completed);
    }

    [Fact]
    public void A_beginning_that_leads_nowhere_is_passed_on_whole()
    {
        var sequence = DetachSequence.Parse("ctrl-p,ctrl-q");
        Assert.Empty(sequence.Filter([16]));
        Assert.Equal([16, (byte)'x'], sequence.Filter("x"u8));
        Assert.False(sequence.Completed);
    }

    [Fact]
    public void A_repeated_first_key_begins_the_sequence_anew()
    {
        var sequence = DetachSequence.Parse("ctrl-p,ctrl-q");
        Assert.Equal([16], sequence.Filter([16, 16, 17]));
        Assert.True(sequence.Completed);
    }

    [Theory]
    [InlineData("a,b", "xa", "x")]
    [InlineData("ctrl-@", "ab", "ab")]
    [InlineData("ctrl-_,x", "ab", "ab")]
    public void Other_keys_can_be_chosen(string keys, string typed, string passed)
    {
        Assert.Equal(passed, Text(DetachSequence.Parse(keys).Filter(Encoding.ASCII.GetBytes(typed))));
    }

    [Theory]
    [InlineData("ctrl-")]
    [InlineData("ctrl-1")]
    [InlineData("alt-p")]
    [InlineData("a,,b")]
    public void Unknown_keys_are_refused(string keys)
    {
        var error = Assert.Throws<WherryException>(() => DetachSequence.Parse(keys));
        Assert.Equal(ErrorKind.InvalidParameter, error.Kind);
    }

    private static string Text(byte[] bytes) => Encoding.ASCII.GetString(bytes);
}
