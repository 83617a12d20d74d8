using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Wherry.Api.Hijacking;

/// <summary>
/// What Kestrel's HTTP layer sees of a connection, so that one of its requests can take the connection over.
/// Kestrel's own upgrade is no use here: it refuses requests that have a body (the start of an exec always has
/// one), and it gives up what the server still has to say as soon as the client has sent its last byte
/// (<c>echo x | docker run -i …</c>). So the end of the client's data and the HTTP layer's abort are passed on
/// only while nobody has taken the connection.
/// </summary>
internal sealed class HijackableConnection : ConnectionContext
{
    private readonly ConnectionContext _inner;
    private readonly CancellationTokenSource _closed = new();
    private readonly CancellationTokenRegistration _registration;
    private readonly TaskCompletionSource _inputEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _taken;

    private HijackableConnection(ConnectionContext inner)
    {
        _inner = inner;
        Transport = inner.Transport;
        inner.Features.Set(this);
        _registration = inner.ConnectionClosed.UnsafeRegister(static state => ((HijackableConnection)state!).OnInputEnded(), this);
    }

    public override string ConnectionId
    {
        get => _inner.ConnectionId;
        set => _inner.ConnectionId = value;
    }

    public override IFeatureCollection Features => _inner.Features;

    public override IDictionary<object, object?> Items
    {
        get => _inner.Items;
        set => _inner.Items = value;
    }

    public override IDuplexPipe Transport { get; set; }

    public override EndPoint? LocalEndPoint
    {
        get => _inner.LocalEndPoint;
        set => _inner.LocalEndPoint = value;
    }

    public override EndPoint? RemoteEndPoint
    {
        get => _inner.RemoteEndPoint;
        set => _inner.RemoteEndPoint = value;
    }

    public override CancellationToken ConnectionClosed
    {
        get => _closed.Token;
        set => throw new NotSupportedException("the token belongs to the connection");
    }

    /// <summary>The client has sent its last byte, whether it still listens or not.</summary>
    public Task InputEnded => _inputEnded.Task;

    /// <summary>Kestrel's connection middleware.</summary>
    public static ConnectionDelegate Middleware(ConnectionDelegate next) => async inner =>
    {
        var connection = new HijackableConnection(inner);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            await connection._registration.DisposeAsync().ConfigureAwait(false);
        }
    };

    /// <summary>From here on the caller owns both directions; the HTTP layer will touch neither.</summary>
    /// <returns>Where the client's bytes come from, and the socket to answer on.</returns>
    public HijackedStream TakeOver()
    {
        _taken = true;
        var socket = _inner.Features.Get<IConnectionSocketFeature>()?.Socket
            ?? throw new InvalidOperationException("the connection has no socket");
        return new HijackedStream(_inner.Transport.Input, socket, InputEnded);
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        if (!_taken)
        {
            _inner.Abort(abortReason);
        }
    }

    public override void Abort() => Abort(new ConnectionAbortedException("the connection was aborted by the engine"));

    private void OnInputEnded()
    {
        _inputEnded.TrySetResult();
        if (!_taken)
        {
            _closed.Cancel();
        }
    }
}
