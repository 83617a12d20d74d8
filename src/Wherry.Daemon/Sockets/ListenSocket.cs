using System.Net.Sockets;
using Wherry.Errors;
using Wherry.Linux.Accounts;
using Wherry.Linux.Files;

namespace Wherry.Daemon.Sockets;

/// <summary>Binds sockets. They listen only once their permissions are set, so nobody slips in before.</summary>
internal static class ListenSocket
{
    private const UnixFileMode SocketMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private static readonly string[] UsualGroups = ["wherry", "docker"];

    /// <param name="address">Where.</param>
    /// <param name="group">The group that may connect to a unix socket; null for the usual one, empty for none.</param>
    public static Socket Bind(ListenAddress address, string? group) => address switch
    {
        UnixAddress unix => BindUnix(unix.Path, group),
        TcpAddress tcp => BindTcp(tcp),
        _ => throw new InvalidOperationException("unknown kind of address"),
    };

    private static Socket BindTcp(TcpAddress address)
    {
        var socket = new Socket(address.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address.EndPoint);
            return socket;
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw WherryException.System($"listen on {address}: {failure.Message}", failure);
        }
    }

    private static Socket BindUnix(string path, string? group)
    {
        var owner = GroupOf(group);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        RemoveStale(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            if (owner is { } number)
            {
                GroupDatabase.GiveTo(path, number);
            }

            File.SetUnixFileMode(path, SocketMode);
            return socket;
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw WherryException.System($"listen on unix://{path}: {failure.Message}", failure);
        }
    }

    private static uint? GroupOf(string? name)
    {
        if (name is null)
        {
            return UsualGroups.Select(GroupDatabase.Find).FirstOrDefault(group => group is not null);
        }

        return name.Length == 0
            ? null
            : GroupDatabase.Find(name) ?? throw WherryException.Invalid($"group {name} not found: make it with 'groupadd --system {name}', or leave --group out");
    }

    /// <summary>A socket that nobody listens on was left by an engine that was killed; anything else is not ours to remove.</summary>
    private static void RemoveStale(string path)
    {
        if (!Path.Exists(path))
        {
            return;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(path))
        {
            File.Delete(path);
            return;
        }
        catch (SocketException failure)
        {
            throw WherryException.Conflict($"listen on unix://{path}: the path exists and is not a socket of ours ({failure.Message}): remove it or choose another");
        }

        throw WherryException.Conflict($"listen on unix://{path}: another server is listening there");
    }

    private static bool IsSocket(string path) => FileStatus.At(null, path)?.Type == Linux.Files.FileMode.Socket;
}
