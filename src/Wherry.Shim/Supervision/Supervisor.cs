using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Polling;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Linux.Sockets;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Shim.Supervision;

/// <summary>
/// The process that stands by one container: makes its first process, holds its streams, writes its log, reaps
/// it, records its exit, and answers whichever engine is there. One thread; every wait is the loop's.
/// </summary>
public sealed partial class Supervisor : IPollHandler, IDisposable
{
    /// <summary>The descriptor its first connection is at; 0 to 2 are /dev/null.</summary>
    public const int ControlDescriptor = 3;

    // As many as the kernel lets wait (somaxconn): a connection refused is an exec that failed.
    private const int Backlog = 4096;
    private static readonly TimeSpan PatienceWithClients = TimeSpan.FromSeconds(30);

    private readonly EventLoop _loop = new();
    private readonly List<Connection> _connections = [];
    private readonly FileDescriptor _signals;
    private FileDescriptor? _listener;
    private bool _ended;

    private Supervisor() => _signals = SignalSyscalls.OpenSignalDescriptor(SignalSyscalls.Bit(SignalNumber.Chld));

    public static int Run(string[] args)
    {
        if (args is ["--version"] or ["-v"])
        {
            ConsoleText.WriteLine(1, $"wherry-shim version {Oci.ProgramVersion.Text}");
            return 0;
        }

        var control = new FileDescriptor(ControlDescriptor);
        if (args is not ["--id", _] || !UnixSockets.IsSocket(control))
        {
            ConsoleText.WriteLine(2, "wherry-shim is started by wherryd, once for each container; for a command line use wherry-oci");
            return 1;
        }

        ProcessSyscalls.SetDumpable(false);
        ProcessSyscalls.BecomeSubreaper();
        FileSyscalls.SetCloseOnExec(ControlDescriptor);
        using var supervisor = new Supervisor();
        supervisor.Serve(control);
        return 0;
    }

    /// <summary>What connections ask for.</summary>
    public void Handle(Connection connection, Frame frame, ReadOnlySpan<byte> payload)
    {
        try
        {
            Answer(connection, frame, payload);
        }
        catch (Exception e) when (e is WherryException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            connection.SendFailure(frame.Tag, FailedAnswer.From(e));
        }
    }

    public void Forget(Connection connection) => _connections.Remove(connection);

    /// <summary>Signals and new connections.</summary>
    public void OnEvents(PollEvents events)
    {
        Span<byte> info = stackalloc byte[128];
        while (FileSyscalls.Read(_signals.Number, info) > 0)
        {
        }

        Reap();
    }

    public void Dispose()
    {
        _main?.Streams.Dispose();
        _listener?.Dispose();
        _signals.Dispose();
        _loop.Dispose();
    }

    private void Serve(FileDescriptor control)
    {
        _loop.Watch(_signals.Number, PollEvents.Readable, this);
        _connections.Add(new Connection(_loop, control, this, isControl: true));
        while (!_ended)
        {
            _loop.RunOnce(-1);
            if (_main is null && _connections.Count == 0)
            {
                // The engine went before it said what to run.
                return;
            }
        }

        LetClientsFinish();
    }

    private void Answer(Connection connection, Frame frame, ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        switch (frame.Kind)
        {
            case MessageKind.Launch:
                Launch(connection, frame.Tag, LaunchOrder.ReadFrom(ref reader));
                break;
            case MessageKind.Hello:
                connection.BecomeControl();
                SendSnapshot(connection, frame.Tag);
                break;
            case MessageKind.Start:
                Start(connection, frame.Tag);
                break;
            case MessageKind.Signal:
                Signal(reader.ReadInt32(), reader.ReadBool());
                connection.SendDone(frame.Tag);
                break;
            case MessageKind.Resize:
                Resize(Main.Streams, reader.ReadInt32(), reader.ReadInt32());
                connection.SendDone(frame.Tag);
                break;
            case MessageKind.Attach:
                var streams = reader.ReadByte();
                connection.SendDone(frame.Tag);
                connection.HandOver(Main.Streams, new StreamSelection((streams & 1) != 0, (streams & 2) != 0, (streams & 4) != 0), !Main.Order.Terminal);
                break;
            case MessageKind.Exec:
                Exec(connection, frame.Tag, ExecOrder.ReadFrom(ref reader));
                break;
            case MessageKind.ExecResize:
                Resize(FindExec(reader.ReadUInt32()).Streams, reader.ReadInt32(), reader.ReadInt32());
                connection.SendDone(frame.Tag);
                break;
            case MessageKind.Pause:
                Freezer.Freeze(Main.Cgroup);
                connection.SendDone(frame.Tag);
                break;
            case MessageKind.Resume:
                Freezer.Thaw(Main.Cgroup);
                connection.SendDone(frame.Tag);
                break;
            case MessageKind.ListProcesses:
                var writer = new WireWriter(MessageKind.Done, frame.Tag);
                var processes = Main.Processes();
                writer.Write(processes.Count);
                foreach (var pid in processes)
                {
                    writer.Write(pid);
                }

                connection.Send(writer.Finish().Span);
                break;
            default:
                throw WherryException.Unsupported($"this supervisor does not know the request {frame.Kind}");
        }
    }

    private void Listen(string stateDirectory)
    {
        // A relative name: the path of the directory may be longer than a socket's address can hold.
        var changed = FileSyscalls.TryChangeDirectory(stateDirectory);
        if (changed < 0)
        {
            throw new LinuxException($"enter {stateDirectory}", -changed);
        }

        var mask = FileSyscalls.SetUmask(0x3f);
        _listener = UnixSockets.Listen(StateFiles.Socket, Backlog);
        FileSyscalls.SetUmask(mask);
        FileSyscalls.TryChangeDirectory("/");
        _loop.Watch(_listener.Number, PollEvents.Readable, new Listener(this));
    }

    private void Accept()
    {
        while (_listener is not null && UnixSockets.Accept(_listener) is { } socket)
        {
            _connections.Add(new Connection(_loop, socket, this, isControl: false));
        }
    }

    private void Broadcast(ReadOnlySpan<byte> frame)
    {
        for (var i = _connections.Count - 1; i >= 0; i--)
        {
            if (_connections[i].IsControl)
            {
                _connections[i].Send(frame);
            }
        }
    }

    // Attached clients may still be reading the program's last words; one that stands still is not waited for for ever.
    private void LetClientsFinish()
    {
        var end = Environment.TickCount64 + (long)PatienceWithClients.TotalMilliseconds;
        while ((Main.Streams.HasClients || _execs.Exists(exec => exec.Streams.HasClients) || _connections.Exists(connection => connection.IsBehind))
            && Environment.TickCount64 < end)
        {
            if (_loop.RunOnce(1000))
            {
                end = Environment.TickCount64 + (long)PatienceWithClients.TotalMilliseconds;
            }
        }
    }

    private sealed class Listener(Supervisor supervisor) : IPollHandler
    {
        public void OnEvents(PollEvents events) => supervisor.Accept();
    }
}
