using Wherry.Runtime.Contracts;

namespace Wherry.Engine.Containers;

/// <summary>A client attached to a container that has not been started: the start connects it before the program runs.</summary>
internal sealed class PendingAttach(StreamSelection streams)
{
    private readonly TaskCompletionSource<IStreamConnection?> _connection = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StreamSelection Streams { get; } = streams;

    /// <summary>The connection once the container starts; null when it never will.</summary>
    public Task<IStreamConnection?> Connection => _connection.Task;

    /// <summary>Hands the connection over; false when the client has gone, and the caller keeps it.</summary>
    public bool TryConnect(IStreamConnection connection) => _connection.TrySetResult(connection);

    public void Abandon() => _connection.TrySetResult(null);
}
