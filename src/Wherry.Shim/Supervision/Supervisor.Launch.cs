using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Landlock;
using Wherry.Linux.Polling;
using Wherry.Linux.Sockets;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Stages;
using Wherry.Shim.Logs;
using Wherry.Shim.Streams;

namespace Wherry.Shim.Supervision;

/// <summary>From the order to a running program.</summary>
public sealed partial class Supervisor
{
    private MainProgram? _main;
    private (Connection Connection, uint Tag)? _starter;

    private MainProgram Main => _main ?? throw WherryException.Conflict("nothing has been launched yet");

    private void Launch(Connection connection, uint tag, LaunchOrder order)
    {
        if (_main is not null)
        {
            throw WherryException.Conflict("a supervisor launches one container only");
        }

        if (order.IsScoped)
        {
            // Now, so that all there will ever be of this container is in one domain: supervisor, stages, program, execs.
            SignalScope.TryEnter();
        }

        OwnPidFile.Write(order.Location.StateDirectory);
        Listen(order.Location.StateDirectory);
        var log = order.Log is null ? null : new JsonLog(order.Log);
        var streams = new ProgramStreams(_loop, log, order.StdinOnce);
        using var null0 = FileSyscalls.Open("/dev/null", OpenFlags.ReadWrite);
        using var pipes = order.Terminal ? null : ProgramPipes.Make(streams, order.OpenStdin ? new StreamSelection(true, true, true) : new StreamSelection(false, true, true));
        var cgroup = CgroupHost.Detect().Locate(order.Location.CgroupsPath);
        try
        {
            cgroup.Create();
            var request = new StageRequest
            {
                Bundle = order.Location.BundleDirectory,
                Cgroup = cgroup,
                CgroupsPath = order.Location.CgroupsPath,
                Namespaces = order.Namespaces,
                MakesRoot = order.MakesRoot,
                Order = new StageOrder { Id = order.Location.Id },
                Stdin = pipes?.Stdin ?? null0,
                Stdout = pipes?.Stdout ?? null0,
                Stderr = pipes?.Stderr ?? null0,
            };
            var pid = StageLauncher.Launch(request, out var channel);
            _main = new MainProgram(order, pid, channel, streams, log, cgroup, NamespaceKinds.All(order.Namespaces));
        }
        catch
        {
            cgroup.TryRemove();
            throw;
        }

        MoveNetworkDevices();
        _loop.Watch(_main.Channel.Number, PollEvents.Readable, new ChannelWatch(this));
        SendSnapshot(connection, tag);
    }

    private void SendSnapshot(Connection connection, uint tag)
    {
        var writer = new WireWriter(MessageKind.Done, tag);
        new SandboxSnapshot(Main.Pid, Main.OwnsNetworkNamespace, Main.StartedAt, Main.Warnings).WriteTo(writer);
        connection.Send(writer.Finish().Span);
    }

    private void Start(Connection connection, uint tag)
    {
        if (Main.Failure is { } failure)
        {
            connection.SendFailure(tag, failure);
            return;
        }

        if (_starter is not null || Main.State > ProgramState.Ready)
        {
            throw WherryException.Conflict("the container has been started already");
        }

        _starter = (connection, tag);
        if (Main.State == ProgramState.Ready)
        {
            Go();
        }
    }

    private void Go()
    {
        Main.State = ProgramState.Starting;
        UnixSockets.SendMessage(Main.Channel, new WireWriter(MessageKind.StageGo, 0).Finish().Span);
    }

    private void OnStageMessage()
    {
        var buffer = Main.Streams.Scratch[..StageChannel.MaxMessage];
        var length = UnixSockets.ReceiveMessage(Main.Channel, buffer, wait: false, out var attachment);
        if (length == -Errno.EAGAIN)
        {
            return;
        }

        if (length < Frame.HeaderSize)
        {
            OnStageGone();
            return;
        }

        var frame = Frame.Parse(buffer);
        var reader = new WireReader(buffer.Slice(Frame.HeaderSize, frame.PayloadLength));
        if (frame.Kind == MessageKind.Failed)
        {
            Fail(FailedAnswer.ReadFrom(ref reader));
            return;
        }

        if (frame.Kind == MessageKind.StageMounted)
        {
            RunCreationHooks();
            return;
        }

        Main.Warnings = reader.ReadStrings();
        if (attachment is not null)
        {
            Main.Streams.UseTerminal(attachment);
        }

        Main.State = ProgramState.Ready;
        if (_starter is not null)
        {
            Go();
        }
    }

    // The channel is close-on-exec: its end after the word means that the program has been executed.
    private void OnStageGone()
    {
        CloseChannel();
        if (Main.State != ProgramState.Starting || Main.Failure is not null)
        {
            if (Main.Failure is null && Main.State != ProgramState.Ended)
            {
                Fail(new FailedAnswer(ErrorKind.System, 128, "the container's first process ended before it was ready"));
            }

            return;
        }

        Main.State = ProgramState.Running;
        Main.StartedAt = DateTimeOffset.UtcNow;
        RunPoststartHooks();
        if (_starter is var (connection, tag))
        {
            SendSnapshot(connection, tag);
        }
    }

    private void Fail(FailedAnswer failure)
    {
        Main.Failure = failure;
        if (_starter is var (connection, tag))
        {
            _starter = null;
            connection.SendFailure(tag, failure);
        }
    }

    private void CloseChannel()
    {
        if (!Main.Channel.IsClosed)
        {
            _loop.Forget(Main.Channel.Number);
            Main.Channel.Dispose();
        }
    }

    private sealed class ChannelWatch(Supervisor supervisor) : IPollHandler
    {
        public void OnEvents(PollEvents events) => supervisor.OnStageMessage();
    }
}
