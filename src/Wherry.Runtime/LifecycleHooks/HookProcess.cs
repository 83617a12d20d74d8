using System.Text;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Polling;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.LifecycleHooks;

/// <summary>One hook that runs: its streams, its time limit, its end.</summary>
internal sealed class HookProcess : IDisposable
{
    private const int MostOutput = 4096;
    private const ulong OutputTag = 1;

    private readonly byte[] _output = new byte[MostOutput];
    private readonly FileDescriptor _read;
    private int _length;

    public HookProcess(ReadOnlySpan<byte> state)
    {
        // A file in memory rather than a pipe: however long the state is, a hook that does not read it stops nobody.
        Stdin = FileSyscalls.MemoryFile("state");
        for (var written = 0; written < state.Length;)
        {
            written += (int)Syscall.Check(FileSyscalls.Write(Stdin.Number, state[written..]), "write the state for a hook");
        }

        FileSyscalls.Rewind(Stdin);
        (_read, Output) = FileSyscalls.Pipe();
        FileSyscalls.SetNonBlocking(_read);
    }

    public FileDescriptor Stdin { get; }

    /// <summary>Its standard output and error.</summary>
    public FileDescriptor Output { get; }

    /// <summary>What it has said, for an error's text.</summary>
    public string Said => _length == 0 ? "" : ": " + Encoding.UTF8.GetString(_output, 0, _length).Trim();

    /// <summary>Waits for its end, taking its output meanwhile. Kills it and its children when its time is up.</summary>
    /// <returns>Its exit code; null when its time was up.</returns>
    public int? Await(int pid, Hook hook)
    {
        Output.Dispose();
        using var process = ProcessSyscalls.OpenPidfd(pid);
        using var poll = new EventPoll();
        poll.Watch(process.Number, PollEvents.Readable, 0);
        poll.Watch(_read.Number, PollEvents.Readable, OutputTag);
        var end = hook.Timeout is { } seconds ? Environment.TickCount64 + (seconds * 1000L) : long.MaxValue;
        while (true)
        {
            var left = end == long.MaxValue ? -1 : (int)Math.Clamp(end - Environment.TickCount64, 0, int.MaxValue);
            var count = poll.Wait(left);
            if (count == 0 && end - Environment.TickCount64 <= 0)
            {
                // It leads a session of its own, so this takes along what it has started.
                ProcessSyscalls.Kill(-pid, SignalNumber.Kill);
                ProcessSyscalls.Wait(pid, block: true);
                return null;
            }

            for (var i = 0; i < count; i++)
            {
                if (poll[i].Tag == OutputTag)
                {
                    TakeOutput(poll);
                }
                else
                {
                    TakeOutput(poll: null);
                    return ProcessSyscalls.Wait(pid, block: true)?.ExitCode ?? 0;
                }
            }
        }
    }

    public void Dispose()
    {
        Stdin.Dispose();
        Output.Dispose();
        _read.Dispose();
    }

    private void TakeOutput(EventPoll? poll)
    {
        Span<byte> rest = stackalloc byte[MostOutput];
        while (true)
        {
            // What there is no room for is read all the same, or the hook would stand still.
            var room = _output.AsSpan(_length);
            var read = FileSyscalls.Read(_read.Number, room.IsEmpty ? rest : room);
            if (read <= 0)
            {
                if (read != -Errno.EAGAIN)
                {
                    poll?.Forget(_read.Number);
                }

                return;
            }

            _length += room.IsEmpty ? 0 : read;
        }
    }
}
