using System.Runtime.InteropServices;

namespace Wherry.Cli.Terminals;

/// <summary>Keeps a terminal from showing what is typed, until disposed; also when a signal ends the process.</summary>
internal sealed unsafe class NoEcho : IDisposable
{
    private const uint Echo = 8; // ECHO
    private const int Now = 0;

    private readonly int _descriptor;
    private readonly PosixSignalRegistration _interrupt;
    private Libc.TerminalAttributes _before;

    private NoEcho(int descriptor, Libc.TerminalAttributes before)
    {
        _descriptor = descriptor;
        _before = before;
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Restore());
    }

    /// <summary>Null where <paramref name="descriptor"/> is not a terminal.</summary>
    internal static NoEcho? Enter(int descriptor)
    {
        Libc.TerminalAttributes before;
        // SAFETY: each call reads or fills one termios on this stack frame.
        if (Libc.GetAttributes(descriptor, &before) != 0)
        {
            return null;
        }

        var silent = before;
        silent.LocalModes &= ~Echo;
        return Libc.SetAttributes(descriptor, Now, &silent) == 0 ? new NoEcho(descriptor, before) : null;
    }

    public void Dispose()
    {
        _interrupt.Dispose();
        Restore();
    }

    private void Restore()
    {
        // SAFETY: the attributes are pinned for the call.
        fixed (Libc.TerminalAttributes* before = &_before)
        {
            _ = Libc.SetAttributes(_descriptor, Now, before);
        }
    }
}
