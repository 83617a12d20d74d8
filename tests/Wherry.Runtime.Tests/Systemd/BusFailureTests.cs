using System.Net.Sockets;
using Wherry.Errors;
using Wherry.Linux.DBus;
using Wherry.Runtime.Systemd;

namespace Wherry.Runtime.Tests.Systemd;

/// <summary>What comes of a systemd that does not answer as it should. How it does answer, a real one shows (OciSystemdTests).</summary>
public sealed class BusFailureTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LittlePatience = TimeSpan.FromMilliseconds(300);
    private static readonly byte[] LetIn = "OK 0123456789abcdef0123456789abcdef\r\n"u8.ToArray();

    private readonly string _directory = Directory.CreateTempSubdirectory("wherry-bus-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Nobody_at_the_socket_is_no_error_yet() =>
        Assert.Null(BusConnection.TryOpen(Path.Combine(_directory, "none"), Patience));

    [Theory]
    [InlineData("REJECTED EXTERNAL\r\n", "not let in: \"REJECTED EXTERNAL\"")]
    [InlineData("", "the connection ended")]
    public void Who_is_not_let_in_learns_why(string answer, string message)
    {
        using var bus = Listen(Bytes(answer));
        Contains(message, () => BusConnection.TryOpen(SocketPath, Patience));
    }

    [Fact]
    public void An_endless_greeting_is_given_up()
    {
        using var bus = Listen([.. Enumerable.Repeat((byte)'x', 3000)]);
        Contains("does not speak D-Bus", () => BusConnection.TryOpen(SocketPath, Patience));
    }

    [Fact]
    public void Silence_is_waited_for_no_longer_than_said()
    {
        using var bus = Listen(LetIn, staysOpen: true);
        Contains("no answer in 0.3 seconds", () => Start(LittlePatience));
    }

    [Theory]
    [InlineData("42", "little-endian")]
    [InlineData("6c", "is more than the protocol has")]
    public void What_is_no_message_is_refused(string first, string message)
    {
        using var bus = Listen([.. LetIn, .. Convert.FromHexString(first + "020001ffffffff01000000ffffffff")]);
        Contains(message, () => Start());
    }

    [Fact]
    public void An_end_in_the_middle_of_a_message_is_an_error()
    {
        using var bus = Listen([.. LetIn, .. new BusMessage { Kind = BusMessageKind.Return, ReplySerial = 1, Serial = 1 }.ToBytes().AsSpan(0, 20)]);
        Contains("the connection ended before", () => Start());
    }

    [Fact]
    public void An_answer_without_a_job_is_an_error()
    {
        using var bus = Listen([.. LetIn, .. new BusMessage { Kind = BusMessageKind.Return, ReplySerial = 1, Serial = 1 }.ToBytes()]);
        Contains("instead of a job's path", () => Start());
    }

    [Fact]
    public void An_error_is_told_in_its_own_words()
    {
        var body = new BusWriter();
        body.Write("Access denied, sorry");
        var error = new BusMessage { Kind = BusMessageKind.Error, ReplySerial = 1, Serial = 1, ErrorName = "org.freedesktop.DBus.Error.AccessDenied", Signature = "s", Body = body.Written.ToArray() };
        using var bus = Listen([.. LetIn, .. error.ToBytes()]);
        Contains("Access denied, sorry", () => Start());
    }

    [Fact]
    public void A_job_that_fails_is_an_error_that_names_the_unit()
    {
        var job = new BusWriter();
        job.Write("/job/1");
        var removed = new BusWriter();
        removed.Write(1u);
        removed.Write("/job/1");
        removed.Write("a.scope");
        removed.Write("timeout");
        var signal = new BusMessage { Kind = BusMessageKind.Signal, Serial = 2, Path = "/x", Interface = "org.freedesktop.systemd1.Manager", Member = "JobRemoved", Signature = "uoss", Body = removed.Written.ToArray() };

        // The signal may well come before the answer that names the job.
        using var bus = Listen([.. LetIn, .. signal.ToBytes(), .. new BusMessage { Kind = BusMessageKind.Return, ReplySerial = 1, Serial = 3, Signature = "o", Body = job.Written.ToArray() }.ToBytes()]);
        Contains("the unit a.scope ended with \"timeout\"", () => Start());
    }

    private string SocketPath => Path.Combine(_directory, "bus");

    private void Start(TimeSpan? patience = null)
    {
        using var systemd = new SystemdManager(BusConnection.TryOpen(SocketPath, patience ?? Patience)!, isUsers: false);
        systemd.Start("a.scope", []);
    }

    private static void Contains(string message, Action action) =>
        Assert.Contains(message, Assert.ThrowsAny<WherryException>(action).Message, StringComparison.Ordinal);

    private static byte[] Bytes(string text) => System.Text.Encoding.ASCII.GetBytes(text);

    /// <summary>Says its piece to the first who connects, whatever that says.</summary>
    private Listener Listen(byte[] piece, bool staysOpen = false) => new(SocketPath, piece, staysOpen);

    private sealed class Listener : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly Task _speaking;
        private Socket? _connection;

        public Listener(string path, byte[] piece, bool staysOpen)
        {
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            _listener.Listen();
            _speaking = Task.Run(() =>
            {
                _connection = _listener.Accept();
                _connection.Receive(new byte[1]);
                _connection.Send(piece);
                if (!staysOpen)
                {
                    _connection.Shutdown(SocketShutdown.Send);
                }
            });
        }

        public void Dispose()
        {
            _speaking.Wait();
            _connection?.Dispose();
            _listener.Dispose();
        }
    }
}
