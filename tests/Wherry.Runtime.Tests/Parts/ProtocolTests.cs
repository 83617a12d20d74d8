using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Runtime.Tests.Parts;

public sealed class ProtocolTests
{
    [Fact]
    public void A_launch_order_arrives_as_it_was_sent()
    {
        var order = new LaunchOrder
        {
            Location = new SandboxLocation("id", "/b", "/s", "/c"),
            Namespaces = [new Namespace("pid"), new Namespace("network", "/n")],
            Terminal = true,
            StdinOnce = true,
            Log = new LogFile("/l", 5, 6),
        };
        var read = Send(order.WriteTo, static (ref reader) => LaunchOrder.ReadFrom(ref reader));
        Assert.Equal(order.Location, read.Location);
        Assert.Equal(order.Namespaces, read.Namespaces);
        Assert.Equal((true, false, true, order.Log), (read.Terminal, read.OpenStdin, read.StdinOnce, read.Log));
    }

    [Fact]
    public void An_exec_order_arrives_as_it_was_sent()
    {
        var process = new Process
        {
            Args = ["a", ""],
            Env = ["b=c"],
            Cwd = "/d",
            User = new User { Uid = 1, Gid = 2, Umask = 0, AdditionalGids = [3] },
            Capabilities = new Capabilities { Bounding = ["CAP_KILL"] },
            Rlimits = [new Rlimit("RLIMIT_CPU", 1, ulong.MaxValue)],
            OomScoreAdj = -1,
            NoNewPrivileges = true,
            ApparmorProfile = "profile",
        };
        var read = Send(new ExecOrder(9, new ExecRequest(process, "u:g", new StreamSelection(true, false, true), Detach: true)).WriteTo, static (ref reader) => ExecOrder.ReadFrom(ref reader));
        Assert.Equal((9u, "u:g", true), (read.Token, read.Request.User, read.Request.Detach));
        Assert.Equal(new StreamSelection(true, false, true), read.Request.Streams);
        Assert.Equal(process.Args, read.Request.Process.Args);
        Assert.Equal(process.User.AdditionalGids, read.Request.Process.User.AdditionalGids);
        Assert.Equal(0u, read.Request.Process.User.Umask);
        Assert.Equal(process.Rlimits, read.Request.Process.Rlimits);
        Assert.Equal(-1, read.Request.Process.OomScoreAdj);
        Assert.Equal(("profile", null), (read.Request.Process.ApparmorProfile, read.Request.Process.SelinuxLabel));
        Assert.Null(read.Request.Process.ConsoleSize);
    }

    [Fact]
    public void A_message_cut_short_is_refused()
    {
        var writer = new WireWriter(MessageKind.Launch, 1);
        writer.Write("text");
        var frame = writer.Finish();
        Assert.Throws<InvalidDataException>(() =>
        {
            var reader = new WireReader(frame.Span[Frame.HeaderSize..^1]);
            reader.ReadString();
        });
        Assert.Throws<InvalidDataException>(() => Frame.Parse([255, 255, 255, 127, 0, 0, 0, 0, 0, 0, 0, 0]));
    }

    private delegate T Reader<out T>(ref WireReader reader);

    private static T Send<T>(Action<WireWriter> write, Reader<T> read)
    {
        var writer = new WireWriter(MessageKind.Launch, 7);
        write(writer);
        var bytes = writer.Finish().Span;
        var frame = Frame.Parse(bytes);
        Assert.Equal((bytes.Length - Frame.HeaderSize, MessageKind.Launch, 7u), (frame.PayloadLength, frame.Kind, frame.Tag));
        var reader = new WireReader(bytes[Frame.HeaderSize..]);
        return read(ref reader);
    }
}
