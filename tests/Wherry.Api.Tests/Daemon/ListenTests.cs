using System.Net.Sockets;
using Wherry.Daemon.Instance;
using Wherry.Daemon.Sockets;
using Wherry.Errors;

namespace Wherry.Api.Tests.Daemon;

public sealed class ListenTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("wherry-listen-").FullName;

    private string SocketPath => Path.Combine(_directory, "w.sock");

    [Theory]
    [InlineData("unix:///run/x.sock", "unix:///run/x.sock")]
    [InlineData("/run/x.sock", "unix:///run/x.sock")]
    [InlineData("tcp://127.0.0.1:2376", "tcp://127.0.0.1:2376")]
    [InlineData("tcp://localhost", "tcp://127.0.0.1:2375")]
    [InlineData("tcp://[::1]:80", "tcp://[::1]:80")]
    [InlineData("tcp://[::1]", "tcp://[::1]:2375")]
    public void Good_addresses_are_understood(string text, string address) => Assert.Equal(address, ListenAddress.Parse(text).ToString());

    [Theory]
    [InlineData("tcp://0.0.0.0:2375", "without TLS")]
    [InlineData("tcp://:2375", "without TLS")]
    [InlineData("tcp://192.168.1.1:2375", "without TLS")]
    [InlineData("tcp://[::]:2375", "without TLS")]
    [InlineData("tcp://example.org:2375", "must be an IP address")]
    [InlineData("tcp://127.0.0.1:99999", "port must be a number")]
    [InlineData("unix://relative", "must be absolute")]
    [InlineData("fd://", "systemd")]
    [InlineData("http://127.0.0.1", "must be unix://PATH or tcp://")]
    public void Bad_addresses_are_refused_with_the_reason(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<WherryException>(() => ListenAddress.Parse(text)).Message);

    [Fact]
    public void A_unix_socket_is_for_its_owner_and_group_alone()
    {
        using var socket = ListenSocket.Bind(new UnixAddress(SocketPath), group: "");
        const UnixFileMode Expected = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        Assert.Equal(Expected, File.GetUnixFileMode(SocketPath));
    }

    [Fact]
    public void A_socket_left_by_a_killed_engine_is_replaced()
    {
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            left.Bind(new UnixDomainSocketEndPoint(SocketPath + ".first"));
            File.Move(SocketPath + ".first", SocketPath); // so that closing does not delete it
        }

        using var socket = ListenSocket.Bind(new UnixAddress(SocketPath), group: "");
        Assert.True(socket.IsBound);
    }

    [Fact]
    public void A_socket_in_use_and_a_file_are_left_alone()
    {
        using var other = ListenSocket.Bind(new UnixAddress(SocketPath), group: "");
        other.Listen();
        Assert.Contains("another server", Assert.Throws<WherryException>(() => ListenSocket.Bind(new UnixAddress(SocketPath), "")).Message);
        var file = Path.Combine(_directory, "precious");
        File.WriteAllText(file, "data");
        Assert.Contains("not a socket", Assert.Throws<WherryException>(() => ListenSocket.Bind(new UnixAddress(file), "")).Message);
        Assert.Equal("data", File.ReadAllText(file));
        var empty = Path.Combine(_directory, "empty");
        File.WriteAllText(empty, "");
        Assert.Throws<WherryException>(() => ListenSocket.Bind(new UnixAddress(empty), ""));
        Assert.True(File.Exists(empty));
    }

    [Fact]
    public void An_unknown_group_is_an_error_that_says_what_to_do() =>
        Assert.Contains("groupadd", Assert.Throws<WherryException>(() => ListenSocket.Bind(new UnixAddress(SocketPath), "no-such-group-here")).Message);

    [Fact]
    public void A_data_root_has_one_engine()
    {
        using (DataRootLock.Take(_directory))
        {
            Assert.Contains("another engine uses", Assert.Throws<WherryException>(() => DataRootLock.Take(_directory)).Message);
        }

        DataRootLock.Take(_directory).Dispose();
    }

    [Fact]
    public void A_stale_pid_file_is_taken_over_and_removed_at_the_end()
    {
        var path = Path.Combine(_directory, "pid");
        File.WriteAllText(path, "4194999\n"); // beyond any pid_max
        using (PidFile.Create(path))
        {
            Assert.Equal(Environment.ProcessId.ToString(), File.ReadAllText(path).Trim());
        }

        Assert.False(File.Exists(path));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
