using System.Runtime.InteropServices;

namespace Wherry.Cli.Terminals;

/// <summary>
/// Puts the terminal on standard input into raw mode (every key goes to the container untouched) and puts it back
/// exactly as it was: when disposed, and, should the process end by another way, when it exits.
/// </summary>
internal sealed unsafe class RawMode : IDisposable
{
    private const int Now = 0;

    private readonly int _descriptor;
    private Libc.TerminalAttributes _before;
    private readonly List<PosixSignalRegistration> _signals = [];
    private int _restored;

    private RawMode(int descriptor, Libc.TerminalAttributes before)
    {
        _descriptor = descriptor;
        _before = before;
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
    }

    /// <summary>Enters raw mode; null where <paramref name="descriptor"/> is not a terminal.</summary>
    /// <param name="descriptor">The terminal's descriptor.</param>
    /// <param name="restoreOnSignals">Restore before a signal ends the process; false where signals are forwarded.</param>
    internal static RawMode? Enter(int descriptor, bool restoreOnSignals)
    {
        Libc.TerminalAttributes before;
        // SAFETY: each call reads or fills one termios on this stack frame.
        if (Libc.GetAttributes(descriptor, &before) != 0)
        {
            return null;
        }

        var raw = before;
        Libc.MakeRaw(&raw);
        var mode = new RawMode(descriptor, before);
        if (Libc.SetAttributes(descriptor, Now, &raw) != 0)
        {
            mode.Dispose();
            return null;
        }

        if (restoreOnSignals)
        {
            foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGHUP, PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGTERM])
            {
                mode._signals.Add(PosixSignalRegistration.Create(signal, _ => mode.Restore()));
            }
        }

        return mode;
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        Restore();
        _signals.ForEach(static signal => signal.Dispose());
    }

    private void OnProcessExit(object? sender, EventArgs arguments) => Restore();

    private void Restore()
    {
        if (Interlocked.Exchange(ref _restored, 1) != 0)
        {
            return;
        }

        // SAFETY: the attributes are pinned for the call.
        fixed (Libc.TerminalAttributes* before = &_before)
        {
            _ = Libc.SetAttributes(_descriptor, Now, before);
        }
    }
}
