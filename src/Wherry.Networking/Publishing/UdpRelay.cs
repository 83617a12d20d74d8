using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Wherry.Networking.Publishing;

/// <summary>
/// Relays datagrams. Every client address gets a socket of its own towards the container, so that answers find their way
/// back; it is given up after <see cref="Idle"/> without traffic, and the longest idle one when <see cref="MaxFlows"/> exist.
/// Answers leave from the address the kernel's routing chooses: on a host with several IPv6 addresses on one interface,
/// publish on the one that clients use.
/// </summary>
internal sealed class UdpRelay : IRelay
{
    internal const int MaxFlows = 1024;
    private const int MaxDatagram = 65535;

    // A flood must not keep a thread of the pool for itself.
    private const int DatagramsPerTurn = 256;

    // As long as the kernel remembers an answered UDP flow (nf_conntrack_udp_timeout_stream is 120 s, docker-proxy took 90).
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(90);

    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _socket;
    private readonly AddressFamily _family;
    private readonly ushort _containerPort;
    private readonly ContainerSockets _sockets;
    private readonly Action<string> _log;
    private readonly Lock _gate = new();
    private readonly Dictionary<SocketAddress, LinkedListNode<Flow>> _flows = [];

    // Longest idle first.
    private readonly LinkedList<Flow> _byActivity = new();

    public UdpRelay(IPEndPoint listen, ushort containerPort, ContainerSockets sockets, Action<string> log)
    {
        _family = listen.AddressFamily;
        _containerPort = containerPort;
        _sockets = sockets;
        _log = log;
        _socket = new Socket(_family, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (_family == AddressFamily.InterNetworkV6)
            {
                _socket.DualMode = false;
            }

            _socket.Bind(listen);
            _socket.Blocking = false;
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    public void Start(IPAddress container) => _ = ReceiveAsync(new IPEndPoint(container, _containerPort));

    public void Dispose()
    {
        _stop.Cancel();
        _socket.Dispose();
        lock (_gate)
        {
            foreach (var flow in _byActivity)
            {
                flow.Socket.Dispose();
            }

            _flows.Clear();
            _byActivity.Clear();
        }
    }

    private async Task ReceiveAsync(IPEndPoint target)
    {
        var from = new SocketAddress(_family);
        var peek = new byte[1];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                // Wait with one byte, so that an idle relay holds no 64 kB buffer.
                await _socket.ReceiveFromAsync(peek.AsMemory(), SocketFlags.Peek, from, _stop.Token);
                Drain(from, target);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e) when (!_stop.IsCancellationRequested)
            {
                // An ICMP error of an earlier answer; the socket goes on.
                if (e.SocketErrorCode is not (SocketError.ConnectionRefused or SocketError.ConnectionReset or SocketError.HostUnreachable))
                {
                    _log($"receiving on {_socket.LocalEndPoint} failed, trying on: {e.Message}");
                    await Task.Delay(TimeSpan.FromMilliseconds(200));
                }
            }
            catch (SocketException)
            {
                return;
            }
        }
    }

    private void Drain(SocketAddress from, IPEndPoint target)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxDatagram);
        try
        {
            for (var turn = 0; turn < DatagramsPerTurn; turn++)
            {
                var length = _socket.ReceiveFrom(buffer, SocketFlags.None, from);
                try
                {
                    FlowOf(from, target).Socket.Send(buffer.AsSpan(0, length));
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // As on any network, a datagram that can't be delivered is lost.
                }
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            // All read.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private Flow FlowOf(SocketAddress client, IPEndPoint target)
    {
        lock (_gate)
        {
            if (_flows.TryGetValue(client, out var known))
            {
                Touch(known);
                return known.Value;
            }

            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
            var longestIdle = _byActivity.First;
            if (_flows.Count == MaxFlows && longestIdle is not null)
            {
                Remove(longestIdle);
            }

            // The caller's address object is reused for the next datagram.
            var copy = new SocketAddress(client.Family, client.Size);
            client.Buffer.Span[..client.Size].CopyTo(copy.Buffer.Span);
            var socket = _sockets.Make(SocketType.Dgram, ProtocolType.Udp);
            try
            {
                socket.Connect(target);
                socket.Blocking = false;
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            var flow = new Flow(copy, socket);
            _flows[copy] = _byActivity.AddLast(flow);
            Touch(_flows[copy]);
            _ = AnswerAsync(_flows[copy]);
            return flow;
        }
    }

    private async Task AnswerAsync(LinkedListNode<Flow> node)
    {
        var flow = node.Value;
        var peek = new byte[1];
        while (true)
        {
            try
            {
                using var idle = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                idle.CancelAfter(Idle);
                await flow.Socket.ReceiveAsync(peek.AsMemory(), SocketFlags.Peek, idle.Token);
                Answer(flow);
                lock (_gate)
                {
                    Touch(node);
                }
            }
            catch (OperationCanceledException) when (!_stop.IsCancellationRequested && IsActive(flow))
            {
                // No answer for long, but the client still sends.
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                // The container doesn't listen (yet); the client is told nothing, as its next datagram may be served.
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                lock (_gate)
                {
                    Remove(node);
                }

                return;
            }
        }
    }

    private void Answer(Flow flow)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxDatagram);
        try
        {
            for (var turn = 0; turn < DatagramsPerTurn; turn++)
            {
                var length = flow.Socket.Receive(buffer);
                _socket.SendTo(buffer.AsSpan(0, length), SocketFlags.None, flow.Client);
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            // All read, or the client's side is full: as on any network, the datagram is lost.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool IsActive(Flow flow) => Environment.TickCount64 - Volatile.Read(ref flow.LastActivity) < Idle.TotalMilliseconds;

    private void Touch(LinkedListNode<Flow> node)
    {
        Volatile.Write(ref node.Value.LastActivity, Environment.TickCount64);
        if (node.List is not null)
        {
            _byActivity.Remove(node);
            _byActivity.AddLast(node);
        }
    }

    private void Remove(LinkedListNode<Flow> node)
    {
        if (node.List is not null)
        {
            _byActivity.Remove(node);
            _flows.Remove(node.Value.Client);
        }

        node.Value.Socket.Dispose();
    }

    private sealed class Flow(SocketAddress client, Socket socket)
    {
        /// <summary>Milliseconds of <see cref="Environment.TickCount64"/>.</summary>
        public long LastActivity;

        public SocketAddress Client => client;

        public Socket Socket => socket;
    }
}
