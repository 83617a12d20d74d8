using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Polling;
using Wherry.Runtime.Contracts;
using Wherry.Shim.Logs;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Streams;

/// <summary>
/// Everything between one program's streams and those who read and write them: the log and attached clients.
/// Owns our ends of the pipes, or the terminal.
/// </summary>
public sealed class ProgramStreams : IPollHandler, IDisposable
{
    // All programs of a supervisor share these, as there is but one thread.
    private static readonly byte[] SharedOutput = GC.AllocateUninitializedArray<byte>(StreamClient.HeaderSize + (32 * 1024));
    private static readonly byte[] SharedScratch = GC.AllocateUninitializedArray<byte>(16 * 1024);

    private readonly EventLoop _loop;
    private readonly JsonLog? _log;
    private readonly bool _closeInputWithClient;
    private readonly List<StreamClient> _clients = [];
    private readonly List<OutputSource> _sources = [];
    private readonly List<FileDescriptor> _owned = [];
    private FileDescriptor? _terminal;
    private FileDescriptor? _input;
    private byte[] _inputWaiting = [];
    private bool _inputEnding;
    private bool _paused;

    /// <param name="loop">The supervisor's loop.</param>
    /// <param name="log">Where output is written; not owned.</param>
    /// <param name="closeInputWithClient">Close the program's input when a client's ends.</param>
    public ProgramStreams(EventLoop loop, JsonLog? log, bool closeInputWithClient)
    {
        _loop = loop;
        _log = log;
        _closeInputWithClient = closeInputWithClient;
    }

    /// <summary>Room for a frame's head and a chunk of output.</summary>
    public Span<byte> OutputRoom => SharedOutput;

    /// <summary>Room for input on its way.</summary>
    public Span<byte> Scratch => SharedScratch;

    public bool HasTerminal => _terminal is not null;

    public FileDescriptor? Terminal => _terminal;

    public bool HasClients => _clients.Count > 0;

    /// <summary>The terminal carries all three streams. Owned from now on.</summary>
    public void UseTerminal(FileDescriptor master)
    {
        _terminal = master;

        // A descriptor of its own, so that each direction is watched by itself.
        _input = FileSyscalls.Duplicate(master);
        _owned.Add(master);
        _sources.Add(new OutputSource(_loop, master, OutputKind.Stdout, this));
        if (_paused)
        {
            Pause();
        }
    }

    /// <summary>A pipe's write end becomes the program's input. Owned from now on.</summary>
    public void UseInput(FileDescriptor pipe)
    {
        FileSyscalls.SetNonBlocking(pipe);
        _input = pipe;
    }

    /// <summary>A pipe's read end. Owned from now on.</summary>
    public void UseOutput(OutputKind kind, FileDescriptor pipe)
    {
        _owned.Add(pipe);
        _sources.Add(new OutputSource(_loop, pipe, kind, this));
    }

    public void Attach(FileDescriptor socket, StreamSelection selection, bool multiplexed)
    {
        var client = new StreamClient(_loop, socket, this, selection, multiplexed);
        client.HoldInput(_inputWaiting.Length > 0);
        _clients.Add(client);
    }

    /// <summary>Output of the program: into the log first, then to those attached.</summary>
    public void Output(OutputKind kind, Span<byte> chunk)
    {
        _log?.Write(kind, chunk[StreamClient.HeaderSize..]);
        var behind = false;
        for (var i = _clients.Count - 1; i >= 0; i--)
        {
            var client = _clients[i];
            if (client.Wants(kind))
            {
                client.Send(kind, chunk);
                behind |= client.IsBehind;
            }
        }

        if (behind)
        {
            Pause();
        }
    }

    /// <summary>A client's socket takes output again.</summary>
    public void ClientCaughtUp()
    {
        if (_paused && !_clients.Exists(client => client.IsBehind))
        {
            _paused = false;
            _sources.ForEach(source => source.Resume());
        }
    }

    /// <summary>A client's input, on to the program.</summary>
    public void Input(ReadOnlySpan<byte> bytes)
    {
        if (_input is null || _inputEnding)
        {
            return;
        }

        var written = _inputWaiting.Length > 0 ? 0 : FileSyscalls.Write(_input.Number, bytes);
        if (written is < 0 and not -Errno.EAGAIN)
        {
            CloseInput();
            return;
        }

        var rest = bytes[Math.Max(written, 0)..];
        if (rest.Length > 0)
        {
            _inputWaiting = [.. _inputWaiting, .. rest];
            _clients.ForEach(client => client.HoldInput(true));
            WatchInput(PollEvents.Writable);
        }
    }

    /// <summary>A client has no more input.</summary>
    public void InputEnded()
    {
        if (_closeInputWithClient && _terminal is null)
        {
            _inputEnding = true;
            if (_inputWaiting.Length == 0)
            {
                CloseInput();
            }
        }
    }

    /// <summary>A client has gone.</summary>
    public void Left(StreamClient client, bool hadInput)
    {
        _clients.Remove(client);
        if (hadInput)
        {
            InputEnded();
        }

        ClientCaughtUp();
    }

    /// <summary>The program takes input again.</summary>
    public void OnEvents(PollEvents events)
    {
        var written = _input is null ? 0 : FileSyscalls.Write(_input.Number, _inputWaiting);
        if (written is < 0 and not -Errno.EAGAIN)
        {
            CloseInput();
            return;
        }

        _inputWaiting = _inputWaiting[Math.Max(written, 0)..];
        if (_inputWaiting.Length > 0)
        {
            return;
        }

        WatchInput(PollEvents.None);
        if (_inputEnding)
        {
            CloseInput();
            return;
        }

        _clients.ForEach(client => client.HoldInput(false));
    }

    /// <summary>The program has ended: takes in the last of its output and lets the clients go once they have it.</summary>
    public void End()
    {
        foreach (var source in _sources)
        {
            source.Drain();
            source.Close();
        }

        CloseInput();
        for (var i = _clients.Count - 1; i >= 0; i--)
        {
            _clients[i].Finish();
        }
    }

    public void Dispose()
    {
        CloseInput();
        foreach (var source in _sources)
        {
            source.Close();
        }

        foreach (var descriptor in _owned)
        {
            descriptor.Dispose();
        }

        _owned.Clear();
        _terminal = null;
    }

    private void Pause()
    {
        _paused = true;
        _sources.ForEach(source => source.Pause());
    }

    private void CloseInput()
    {
        if (_input is null)
        {
            return;
        }

        WatchInput(PollEvents.None);
        _input.Dispose();
        _input = null;
        _inputWaiting = [];
        _clients.ForEach(client => client.HoldInput(false));
    }

    private void WatchInput(PollEvents events)
    {
        if (_input is not null)
        {
            _loop.Watch(_input.Number, events, this);
        }
    }
}
