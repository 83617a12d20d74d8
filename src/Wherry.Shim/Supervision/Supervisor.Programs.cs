using Wherry.Errors;
using Wherry.Linux.Processes;
using Wherry.Linux.Terminals;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Programs;
using Wherry.Runtime.Seccomp;
using Wherry.Shim.Streams;

namespace Wherry.Shim.Supervision;

/// <summary>What can be done with programs that run: signals, terminal sizes, further programs.</summary>
public sealed partial class Supervisor
{
    private readonly List<ExecProgram> _execs = [];
    private ExecLauncher? _execLauncher;
    private ContainerRules? _rules;

    private void Signal(int signal, bool all)
    {
        if (Main.State == ProgramState.Ended)
        {
            throw WherryException.Conflict("the container has ended");
        }

        if (all)
        {
            foreach (var pid in Main.Processes())
            {
                ProcessSyscalls.Kill(pid, signal);
            }
        }

        // Not yet reaped, so the id is still its own.
        ProcessSyscalls.Kill(Main.Pid, signal);
    }

    private static void Resize(ProgramStreams streams, int rows, int columns) =>
        PseudoTerminal.Resize(streams.Terminal ?? throw WherryException.Invalid("the program has no terminal"), rows, columns);

    private void Exec(Connection connection, uint tag, ExecOrder order)
    {
        if (Main.State != ProgramState.Running)
        {
            throw WherryException.Conflict("the container is not running");
        }

        var request = order.Request;
        var connected = !request.Detach && request.Streams.Any;
        var streams = new ProgramStreams(_loop, log: null, closeInputWithClient: true);
        int pid;
        try
        {
            if (_execLauncher is null)
            {
                _rules = ContainerRules.Read(Main.Order.Location.BundleDirectory, Main.Order.Location.Id);
                _execLauncher = new ExecLauncher(Main.Pid, Main.Namespaces);
            }

            using var root = _execLauncher.OpenRoot();
            pid = request.Process.Terminal ? ExecOnTerminal(order, streams, root) : ExecOnPipes(order, streams, root, connected);
        }
        catch
        {
            streams.Dispose();
            throw;
        }

        _execs.Add(new ExecProgram(order.Token, pid, streams));
        var writer = new WireWriter(MessageKind.Done, tag);
        writer.Write(pid);
        connection.Send(writer.Finish().Span);
        if (connected)
        {
            connection.HandOver(streams, request.Streams, !request.Process.Terminal);
        }
    }

    private int ExecOnPipes(ExecOrder order, ProgramStreams streams, Linux.Files.RootDirectory root, bool connected)
    {
        using var pipes = ProgramPipes.Make(streams, connected ? order.Request.Streams : Runtime.Contracts.StreamSelection.None);
        return _execLauncher!.Start(order, Main.Cgroup, root, pipes.Stdin, pipes.Stdout, pipes.Stderr, _rules);
    }

    private int ExecOnTerminal(ExecOrder order, ProgramStreams streams, Linux.Files.RootDirectory root)
    {
        var (master, slave) = PseudoTerminal.OpenInside(root);
        using (slave)
        {
            streams.UseTerminal(master);
            if (order.Request.Process.ConsoleSize is { } size)
            {
                PseudoTerminal.Resize(master, size.Height, size.Width);
            }

            return _execLauncher!.Start(order, Main.Cgroup, root, slave, slave, slave, _rules);
        }
    }

    private ExecProgram FindExec(uint token) =>
        _execs.Find(exec => exec.Token == token) ?? throw WherryException.NotFound("no such exec: it has ended");

    private void EndExec(ExecProgram exec, int exitCode)
    {
        _execs.Remove(exec);
        exec.Streams.End();
        var writer = new WireWriter(MessageKind.ExecExited, 0);
        writer.Write(exec.Token);
        writer.Write(exitCode);
        Broadcast(writer.Finish().Span);
        if (!exec.Streams.HasClients)
        {
            exec.Streams.Dispose();
        }
    }
}
