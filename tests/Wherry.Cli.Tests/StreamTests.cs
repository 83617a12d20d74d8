using System.Text;
using Wherry.Cli.Streams;

namespace Wherry.Cli.Tests;

public sealed class StreamTests
{
    [Fact]
    public void Frames_go_to_the_streams_they_name()
    {
        using var source = new MemoryStream([1, 0, 0, 0, 0, 0, 0, 3, .. "out"u8, 2, 0, 0, 0, 0, 0, 0, 3, .. "err"u8, 1, 0, 0, 0, 0, 0, 0, 1, .. "!"u8]);
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        FrameReader.Copy(source, output, error);
        Assert.Equal("out!", Encoding.UTF8.GetString(output.ToArray()));
        Assert.Equal("err", Encoding.UTF8.GetString(error.ToArray()));
    }

    [Fact]
    public void A_frame_cut_short_is_an_error()
    {
        using var source = new MemoryStream([1, 0, 0, 0, 0, 0, 0, 9, .. "out"u8]);
        Assert.Throws<IOException>(() => FrameReader.Copy(source, Stream.Null, Stream.Null));
    }
}

public sealed class DetachKeysTests
{
    [Theory]
    [InlineData(null, "abc\u0010\u0011", true)]
    [InlineData(null, "\u0010\u0010\u0011", true)]
    [InlineData(null, "\u0010x\u0011", false)]
    [InlineData("ctrl-a,d", "\u0001d", true)]
    [InlineData("ctrl-a,d", "\u0010\u0011", false)]
    public void The_keys_are_noticed_however_they_arrive(string? keys, string typed, bool expected)
    {
        var detach = DetachKeys.Parse(keys);
        foreach (var key in Encoding.ASCII.GetBytes(typed))
        {
            detach.Observe([key]);
        }

        Assert.Equal(expected, detach.Typed);
    }
}
