using System.Runtime.InteropServices;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Streams;

/// <summary>What a session is connected to.</summary>
/// <param name="Tty">The program has a terminal: one raw stream, and ours is put into raw mode.</param>
/// <param name="Stdin">Our standard input goes to the program.</param>
/// <param name="Stdout">The program's output is shown.</param>
/// <param name="Stderr">The program's errors are shown.</param>
/// <param name="ResizeTarget">Where the size of our terminal is reported: <c>/containers/ID/resize</c>.</param>
/// <param name="ForwardsSignals">Signals are somebody else's business (they are sent to the container), so they must not end the raw mode.</param>
/// <param name="DetachKeys">The keys that end the session and leave the program running.</param>
internal sealed record SessionOptions(bool Tty, bool Stdin, bool Stdout, bool Stderr, string ResizeTarget, bool ForwardsSignals, DetachKeys DetachKeys);

/// <summary>
/// Connects our standard streams to a program in a container until its output ends: a background thread sends what
/// we read (and the end of it), the calling thread prints what arrives. Does not own the connection.
/// </summary>
internal sealed class Session(CliContext context, HijackedConnection connection, SessionOptions options)
{
    /// <summary>Copies until the output ends; the terminal is as it was when this returns or throws.</summary>
    internal void Run()
    {
        var streams = context.Streams;
        var output = options.Stdout ? streams.Output : Stream.Null;
        var error = options.Stderr ? streams.Error : Stream.Null;
        streams.Text.Flush();

        using var raw = options is { Tty: true, Stdin: true } && streams.InputIsTerminal
            ? RawMode.Enter(0, restoreOnSignals: !options.ForwardsSignals)
            : null;
        using var resize = options.Tty && streams.OutputIsTerminal ? FollowSize() : null;
        if (options.Stdin)
        {
            new Thread(SendInput) { IsBackground = true, Name = "stdin" }.Start();
        }
        else
        {
            connection.FinishSending();
        }

        if (options.Tty || connection.Multiplexed == false)
        {
            CopyRaw(output);
        }
        else
        {
            FrameReader.Copy(connection, output, error);
        }
    }

    private void SendInput()
    {
        try
        {
            var buffer = new byte[16 * 1024];
            int count;
            while ((count = context.Streams.Input.Read(buffer)) > 0)
            {
                options.DetachKeys.Observe(buffer.AsSpan(0, count));
                connection.Write(buffer.AsSpan(0, count));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The program ended before it read everything, or our own input failed: either way it sees the end.
        }

        try
        {
            connection.FinishSending();
        }
        catch (ObjectDisposedException)
        {
            // The session is over.
        }
    }

    private void CopyRaw(Stream output)
    {
        var buffer = new byte[32 * 1024];
        int count;
        while ((count = connection.Read(buffer)) > 0)
        {
            output.Write(buffer.AsSpan(0, count));
        }
    }

    /// <summary>Reports the terminal's size now and whenever it changes.</summary>
    private PosixSignalRegistration FollowSize()
    {
        TerminalSize? reported = null;
        void Report()
        {
            if (TerminalSize.Of(1) is not { } size || size == reported)
            {
                return;
            }

            reported = size;
            try
            {
                context.Engine.Call("POST", $"{options.ResizeTarget}?h={size.Height}&w={size.Width}");
            }
            catch (Exception e) when (e is EngineException or CliException or IOException)
            {
                // A program that has just ended has no terminal to resize.
            }
        }

        var registration = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => Report());
        Report();
        return registration;
    }
}
