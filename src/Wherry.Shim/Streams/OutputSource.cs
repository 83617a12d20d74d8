using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Polling;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Streams;

/// <summary>The read end of one of a program's output pipes, or its terminal.</summary>
public sealed class OutputSource : IPollHandler
{
    private readonly EventLoop _loop;
    private readonly FileDescriptor _source;
    private readonly OutputKind _kind;
    private readonly ProgramStreams _program;
    private bool _open = true;

    /// <param name="source">Made non-blocking; the program owns it.</param>
    public OutputSource(EventLoop loop, FileDescriptor source, OutputKind kind, ProgramStreams program)
    {
        _loop = loop;
        _source = source;
        _kind = kind;
        _program = program;
        FileSyscalls.SetNonBlocking(source);
        Resume();
    }

    public void Pause() => _loop.Forget(_source.Number);

    public void Resume()
    {
        if (_open)
        {
            _loop.Watch(_source.Number, PollEvents.Readable, this);
        }
    }

    public void OnEvents(PollEvents events) => ReadOnce();

    /// <summary>Reads what has been written so far, to the last byte, whether clients keep up or not.</summary>
    public void Drain()
    {
        while (ReadOnce())
        {
        }
    }

    public void Close()
    {
        if (_open)
        {
            _open = false;
            _loop.Forget(_source.Number);
        }
    }

    private bool ReadOnce()
    {
        if (!_open)
        {
            return false;
        }

        var room = _program.OutputRoom;
        var read = FileSyscalls.Read(_source.Number, room[StreamClient.HeaderSize..]);
        if (read > 0)
        {
            _program.Output(_kind, room[..(StreamClient.HeaderSize + read)]);
            return true;
        }

        if (read != -Errno.EAGAIN)
        {
            // The end of a pipe, or EIO from a terminal that nobody has open any more. A terminal can be opened
            // again by a program that holds only /dev/tty, but not once its session has gone.
            Close();
        }

        return false;
    }
}
