using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Shim.Supervision;

/// <summary>From the program's end to the supervisor's own.</summary>
public sealed partial class Supervisor
{
    private const int RemovalTries = 200;
    private static readonly TimeSpan PatienceWithProcesses = TimeSpan.FromSeconds(10);

    private void Reap()
    {
        EndedChild? main = null;
        while (ProcessSyscalls.Wait(-1, block: false) is { } ended)
        {
            if (_main is not null && ended.Pid == _main.Pid)
            {
                main = ended;
            }
            else if (_execs.Find(exec => exec.Pid == ended.Pid) is { } exec)
            {
                EndExec(exec, ended.ExitCode);
            }
        }

        if (main is { } status)
        {
            End(status);
        }
    }

    private void End(EndedChild status)
    {
        // The stage's last message may lie in the channel still, when it could not become the program.
        if (!Main.Channel.IsClosed)
        {
            OnStageMessage();
            if (!Main.Channel.IsClosed)
            {
                CloseChannel();
            }
        }

        if (Main.StartedAt is null && Main.Failure is null)
        {
            Fail(new FailedAnswer(Errors.ErrorKind.System, 128, "the container was ended before its program ran"));
        }

        Main.State = ProgramState.Ended;
        EndOtherProcesses();
        foreach (var exec in _execs.ToArray())
        {
            EndExec(exec, 128 + SignalNumber.Kill);
        }

        Main.Streams.End();
        Main.Log?.End();
        var record = new ExitRecord
        {
            ExitCode = Main.Failure is { } failure ? failure.ExitCode : status.ExitCode,
            OomKilled = Main.StartedAt is not null && Main.Cgroup.OomKills() > 0,
            FinishedAt = DateTimeOffset.UtcNow,
            StartedAt = Main.StartedAt,
            Error = Main.Failure?.Message ?? "",
        };
        RemoveCgroup();
        RunPoststopHooks();
        ExitRecordFile.Write(Main.Order.Location.StateDirectory, record);
        TellExit(record);
        _ended = true;
    }

    // With a pid namespace of its own the kernel has ended them all with the first; without one they are ours to end.
    private void EndOtherProcesses()
    {
        if (!Main.OwnsPidNamespace)
        {
            if (Main.HasCgroup)
            {
                Main.Cgroup.KillAll(PatienceWithProcesses);
            }
            else
            {
                KillDescendants();
            }
        }

        CollectEnded();
    }

    // Whom no cgroup holds together is held together by descent: orphans become this process's children.
    private void KillDescendants()
    {
        var end = Environment.TickCount64 + (long)PatienceWithProcesses.TotalMilliseconds;
        while (ProcessSyscalls.Children() is { Count: > 0 } children && Environment.TickCount64 < end)
        {
            foreach (var child in children)
            {
                ProcessSyscalls.Kill(child, SignalNumber.Kill);
            }

            CollectEnded();
            Thread.Sleep(1);
        }
    }

    private void CollectEnded()
    {
        while (ProcessSyscalls.Wait(-1, block: false) is { } ended)
        {
            if (_execs.Find(exec => exec.Pid == ended.Pid) is { } exec)
            {
                EndExec(exec, ended.ExitCode);
            }
        }
    }

    private void RemoveCgroup()
    {
        for (var i = 0; i < RemovalTries && !Main.Cgroup.TryRemove(); i++)
        {
            // Busy: a process of it is in its last moments.
            Thread.Sleep(1);
        }
    }

    private void TellExit(ExitRecord record)
    {
        if (_listener is not null)
        {
            _loop.Forget(_listener.Number);
            _listener.Dispose();
            _listener = null;
            File.Delete(Path.Combine(Main.Order.Location.StateDirectory, StateFiles.Socket));
        }

        var writer = new WireWriter(MessageKind.Exited, 0);
        ExitRecordWire.WriteTo(record, writer);
        Broadcast(writer.Finish().Span);
    }
}
