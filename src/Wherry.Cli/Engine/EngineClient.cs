using System.Net.Sockets;
using System.Text.Json;
using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Engine;

/// <summary>
/// Requests to the engine's REST API. Unversioned paths are used: they mean the newest version the engine speaks.
/// Every request that finds no idle connection opens one, so a response may be kept open (a wait, a log that is
/// followed) while others are made; idle connections are kept for the next request. Safe for several threads.
/// </summary>
internal sealed class EngineClient(EngineAddress address, Func<EngineAddress, bool> startEngine) : IDisposable
{
    private const string Json = "Content-Type: application/json\r\n";

    private const int NoSuchFile = 2;
    private const int PermissionDenied = 13;
    private const int ConnectionRefused = 111;

    private readonly Stack<HttpConnection> _idle = new();
    private bool _mayStart = true;

    internal EngineAddress Address { get; } = address;

    /// <summary>Makes a request without a body and fails unless the engine answers with success.</summary>
    internal HttpResponse Send(string method, string target) => Checked(Exchange(method, target, "", default));

    internal HttpResponse Send(string method, Query target) => Send(method, target.ToString());

    /// <summary>The same with more header lines, each with its line end.</summary>
    internal HttpResponse Send(string method, string target, string headers) => Checked(Exchange(method, target, headers, default));

    /// <summary>Makes a request and ignores the body of its success.</summary>
    internal int Call(string method, string target)
    {
        using var response = Send(method, target);
        Drain(response);
        return response.Status;
    }

    internal int Call(string method, Query target) => Call(method, target.ToString());

    /// <summary>A document by GET.</summary>
    internal JsonDocument Get(string target)
    {
        using var response = Send("GET", target);
        return response.ReadJson();
    }

    internal JsonDocument Get(Query target) => Get(target.ToString());

    /// <summary>The head of what a GET would answer; null where the engine knows no such thing.</summary>
    internal HttpResponse? Head(Query target)
    {
        var response = Exchange("HEAD", target.ToString(), "", default);
        if (response.Status == 404)
        {
            response.Dispose();
            return null;
        }

        return Checked(response);
    }

    /// <summary>Sends a JSON document.</summary>
    internal HttpResponse Post(string target, byte[] body) => Checked(Exchange("POST", target, Json, body));

    /// <summary>
    /// Sends a stream of unknown length as the body (an archive). The answer is read while the body still goes out:
    /// an engine that refuses an archive half-way is heard, and its progress is shown as it comes.
    /// </summary>
    internal HttpResponse Upload(string target, Stream body) => Upload("POST", target, output => body.CopyTo(output, 128 * 1024));

    /// <summary>The same with a body that is written as it is made. What makes it fail comes out of here.</summary>
    /// <param name="method">PUT or POST.</param>
    /// <param name="target">Path and query.</param>
    /// <param name="produce">Writes the body, on a thread of its own.</param>
    /// <param name="headers">More header lines, each with its line end.</param>
    internal HttpResponse Upload(string method, string target, Action<Stream> produce, string headers = "")
    {
        var connection = Connect();
        connection.SendHead(method, target, $"Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n{headers}");
        Exception? failure = null;
        var sender = new Thread(() => failure = SendChunks(connection, produce)) { IsBackground = true, Name = "upload" };
        sender.Start();
        try
        {
            var response = Checked(connection.ReceiveHead(method));
            return failure is null ? response : throw failure;
        }
        catch (Exception e)
        {
            connection.Dispose();
            if (failure is not null && !ReferenceEquals(e, failure))
            {
                throw failure;
            }

            throw;
        }
    }

    /// <summary>
    /// Turns a connection into a raw stream in both directions: the upgrade that attach and exec use. Null body means
    /// an empty one.
    /// </summary>
    internal HijackedConnection Hijack(string target, byte[]? body)
    {
        var connection = Connect();
        try
        {
            var length = body?.Length ?? 0;
            connection.SendHead("POST", target, $"{Json}Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {length}\r\n");
            if (length > 0)
            {
                connection.Send(body);
            }

            var response = connection.ReceiveHead("POST");
            if (response.Status == 101 || (response.Status == 200 && IsStream(response)))
            {
                return new HijackedConnection(connection, IsMultiplexed(response));
            }

            _ = Checked(response);
            throw new CliException($"the engine did not open a stream (status {response.Status})");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Whether an engine answers at this address.</summary>
    internal bool Answers()
    {
        try
        {
            using var connection = HttpConnection.Open(Address);
            connection.SendHead("GET", "/_ping", "");
            using var response = connection.ReceiveHead("GET");
            return response.Status == 200;
        }
        catch (Exception e) when (e is SocketException or IOException or CliException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        lock (_idle)
        {
            while (_idle.TryPop(out var connection))
            {
                connection.Dispose();
            }
        }
    }

    private static bool IsStream(HttpResponse response)
        => response.Headers.TryGetValue("Content-Type", out var type) && type.Contains("-stream", StringComparison.Ordinal);

    private static bool? IsMultiplexed(HttpResponse response)
        => response.Headers.TryGetValue("Content-Type", out var type) && type.Contains("multiplexed", StringComparison.Ordinal) ? true : null;

    private static HttpResponse Checked(HttpResponse response)
    {
        if (response.Status < 400)
        {
            return response;
        }

        using (response)
        {
            throw EngineException.FromBody(response.Status, response.ReadAll());
        }
    }

    private static void Drain(HttpResponse response)
    {
        Span<byte> scratch = stackalloc byte[1024];
        while (response.Read(scratch) > 0)
        {
            // A success's body that nobody asked for.
        }
    }

    /// <returns>Why the body could not be made.</returns>
    private static Exception? SendChunks(HttpConnection connection, Action<Stream> produce)
    {
        try
        {
            using var body = new ChunkedBody(connection);
            produce(body);
            body.Complete();
            return null;
        }
        catch (Exception e) when (e is BrokenBodyException or ObjectDisposedException)
        {
            // The engine stopped listening: its answer says why, and the reader of that answer reports it.
            connection.FinishSending();
            return null;
        }
        catch (Exception e)
        {
            // An unfinished body makes the engine refuse the request.
            connection.FinishSending();
            return e;
        }
    }

    private HttpResponse Exchange(string method, string target, string headers, ReadOnlySpan<byte> body)
    {
        var connection = Connect();
        try
        {
            if (method is not ("GET" or "HEAD") || !body.IsEmpty)
            {
                headers += $"Content-Length: {body.Length}\r\n";
            }

            connection.SendHead(method, target, headers);
            connection.Send(body);
            var response = connection.ReceiveHead(method);
            response.Return = GiveBack;
            return response;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void GiveBack(HttpConnection connection)
    {
        lock (_idle)
        {
            _idle.Push(connection);
        }
    }

    private HttpConnection Connect()
    {
        lock (_idle)
        {
            if (_idle.TryPop(out var connection))
            {
                return connection;
            }
        }

        try
        {
            return HttpConnection.Open(Address);
        }
        catch (SocketException e) when (_mayStart && IsAbsent(e) && Address.IsDefault)
        {
            _mayStart = false;
            if (startEngine(Address))
            {
                return Connect();
            }

            throw Unreachable(e);
        }
        catch (SocketException e)
        {
            throw Unreachable(e);
        }
    }

    private static bool IsAbsent(SocketException e)
        => e.SocketErrorCode == SocketError.ConnectionRefused || e.NativeErrorCode is NoSuchFile or ConnectionRefused;

    private CliException Unreachable(SocketException e)
    {
        // A unix socket's failure carries the system's own number, a TCP socket's the framework's.
        if (e.SocketErrorCode == SocketError.AccessDenied || e.NativeErrorCode == PermissionDenied)
        {
            return new CliException($"permission denied while trying to connect to the engine at {Address}")
            {
                Hint = "Members of the socket's group may use it: run 'sudo usermod -aG wherry \"$USER\"' and log in again, or use sudo.",
            };
        }

        if (IsAbsent(e) && Address.SocketPath is not null)
        {
            return new CliException($"cannot connect to the engine at {Address}: is wherryd running?")
            {
                Hint = Address.IsDefault && Address.SocketPath != EngineAddress.SystemSocket
                    ? "Start it with 'wherryd', as the user you are; where wherryd is in PATH, wherry starts it by itself."
                    : Address.IsDefault
                    ? "Start it with 'sudo systemctl start wherry' or 'sudo wherryd'; run as root, wherry starts it by itself."
                    : $"Start it with 'sudo wherryd -H {Address}', or unset WHERRY_HOST and DOCKER_HOST to use the default socket.",
            };
        }

        return new CliException($"cannot connect to the engine at {Address}: {e.Message}")
        {
            Hint = "Check the address given by -H, WHERRY_HOST or DOCKER_HOST.",
        };
    }
}
