using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Polling;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Linux.Terminals;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci.Containers;

/// <summary>
/// Stands between the user's terminal and a container's program: passes signals on, carries bytes where the
/// program has a terminal of its own, and waits for its end.
/// </summary>
/// <param name="pid">The program's process, a child of this one.</param>
/// <param name="master">Its terminal, if it has one; not owned.</param>
public sealed class Foreground(int pid, FileDescriptor? master) : IPollHandler, IDisposable
{
    private readonly EventLoop _loop = new();
    private readonly FileDescriptor _signals = SignalSyscalls.OpenSignalDescriptor(SignalSyscalls.Deliverable);
    private readonly FileDescriptor _input = FileSyscalls.Duplicate(0);
    private readonly byte[] _buffer = new byte[16 * 1024];
    private TerminalMode? _mode;
    private int? _exitCode;

    /// <summary>For the process that is going to wait: all signals are taken in order from one descriptor, so no thread may take one on its own.</summary>
    public static void TakeSignals() => EveryThread.Run(() => SignalSyscalls.SetMask(SignalSyscalls.Deliverable));

    /// <summary>Waits for the end of a container's program, while other commands may change the container.</summary>
    /// <param name="container">The container, locked by the caller.</param>
    /// <param name="master">Its terminal, if it has one; not owned.</param>
    /// <param name="keep">Leave the container then, rather than remove it.</param>
    /// <returns>The program's exit code.</returns>
    public static int Wait(Reservation container, FileDescriptor? master, bool keep)
    {
        container.Unlock();
        using var foreground = new Foreground(container.State.Pid, master);
        var exitCode = foreground.Serve();
        if (!keep)
        {
            container.Remove();
        }

        return exitCode;
    }

    /// <returns>The program's exit code.</returns>
    public int Serve()
    {
        _loop.Watch(_signals.Number, PollEvents.Readable, this);
        if (master is not null)
        {
            _mode = TerminalMode.TryMakeRaw(_input);
            CopySize(master);
            FileSyscalls.SetNonBlocking(master);
            _loop.Watch(master.Number, PollEvents.Readable, new Handler(_ => TakeOutput()));
            WatchInput();
        }

        while (_exitCode is null)
        {
            _loop.RunOnce(-1);
        }

        while (master is not null && TakeOutput())
        {
        }

        return _exitCode.Value;
    }

    /// <summary>Gives a program's terminal the size of our own, if we have one; before the program looks.</summary>
    public static void CopySize(FileDescriptor master)
    {
        var own = new FileDescriptor(0);
        try
        {
            if (PseudoTerminal.TryReadSize(own) is var (rows, columns) && rows > 0)
            {
                PseudoTerminal.Resize(master, rows, columns);
            }
        }
        finally
        {
            own.Release();
        }
    }

    public void OnEvents(PollEvents events)
    {
        Span<byte> info = stackalloc byte[128];
        while (FileSyscalls.Read(_signals.Number, info) == info.Length)
        {
            // struct signalfd_siginfo begins with the signal's number.
            var signal = System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(info);
            if (signal == SignalNumber.Chld)
            {
                Reap();
            }
            else if (signal == SignalNumber.Winch && master is not null)
            {
                CopySize(master);
            }
            else if (signal is not (SignalNumber.Ttin or SignalNumber.Ttou))
            {
                ProcessSyscalls.Kill(pid, signal);
            }
        }
    }

    public void Dispose()
    {
        _mode?.Dispose();
        _loop.Dispose();
        _signals.Dispose();
        _input.Dispose();
    }

    private void WatchInput()
    {
        // A file or /dev/null can't be waited for and need not be: it is all there, now.
        var status = FileStatus.Of(_input);
        if (_mode is null && status.Type is not (Linux.Files.FileMode.Fifo or Linux.Files.FileMode.Socket))
        {
            while (TakeInput())
            {
            }

            return;
        }

        _loop.Watch(_input.Number, PollEvents.Readable, new Handler(_ => TakeInput()));
    }

    private void Reap()
    {
        while (ProcessSyscalls.Wait(-1, block: false) is { } ended)
        {
            if (ended.Pid == pid)
            {
                _exitCode = ended.ExitCode;
            }
        }
    }

    private bool TakeOutput()
    {
        var read = FileSyscalls.Read(master!.Number, _buffer);
        if (read <= 0)
        {
            if (read != -Errno.EAGAIN)
            {
                _loop.Forget(master.Number);
            }

            return false;
        }

        for (var written = 0; written < read;)
        {
            var count = FileSyscalls.Write(1, _buffer.AsSpan(written, read - written));
            if (count < 0)
            {
                return false;
            }

            written += count;
        }

        return true;
    }

    private bool TakeInput()
    {
        var read = FileSyscalls.Read(_input.Number, _buffer);
        if (read <= 0)
        {
            _loop.Forget(_input.Number);
            return false;
        }

        for (var written = 0; written < read;)
        {
            var count = FileSyscalls.Write(master!.Number, _buffer.AsSpan(written, read - written));
            if (count == -Errno.EAGAIN)
            {
                // The program is not reading; its output must be taken meanwhile, or neither would go on.
                if (!TakeOutput())
                {
                    Thread.Sleep(1);
                }

                OnEvents(PollEvents.Readable);
                if (_exitCode is not null)
                {
                    return false;
                }
            }
            else if (count < 0)
            {
                return false;
            }
            else
            {
                written += count;
            }
        }

        return true;
    }

    private sealed class Handler(Action<PollEvents> action) : IPollHandler
    {
        public void OnEvents(PollEvents events) => action(events);
    }
}
