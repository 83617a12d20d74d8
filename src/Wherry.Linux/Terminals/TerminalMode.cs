using Wherry.Linux.Kernel;

namespace Wherry.Linux.Terminals;

/// <summary>A terminal in raw mode (termios(3)), put back as it was on disposal. Borrows its descriptor.</summary>
public sealed unsafe class TerminalMode : IDisposable
{
    private const int TcGets = 0x5401;
    private const int TcSets = 0x5402;

    // struct termios of the kernel: four flag words, a line discipline, 19 control characters.
    private const int Size = 64;
    private const int InputFlags = 0;
    private const int OutputFlags = 1;
    private const int ControlFlags = 2;
    private const int LocalFlags = 3;

    private readonly FileDescriptor _terminal;
    private readonly byte[] _before;

    private TerminalMode(FileDescriptor terminal, byte[] before)
    {
        _terminal = terminal;
        _before = before;
    }

    /// <summary>Null when the descriptor is no terminal.</summary>
    public static TerminalMode? TryMakeRaw(FileDescriptor terminal)
    {
        var before = new byte[Size];
        fixed (byte* state = before)
        {
            if (Syscall.Call(SyscallNumber.Ioctl, terminal.Number, TcGets, (nint)state) < 0)
            {
                return null;
            }
        }

        // What cfmakeraw(3) does: no translation of either direction, no line editing, no signals from keys, 8 bits.
        var raw = (byte[])before.Clone();
        fixed (byte* state = raw)
        {
            var flags = (uint*)state;
            flags[InputFlags] &= ~(0x1u | 0x2 | 0x8 | 0x20 | 0x40 | 0x80 | 0x100 | 0x400);
            flags[OutputFlags] &= ~0x1u;
            flags[LocalFlags] &= ~(0x8u | 0x40 | 0x2 | 0x1 | 0x8000);
            flags[ControlFlags] = (flags[ControlFlags] & ~(0x30u | 0x100)) | 0x30;
            Syscall.Check(Syscall.Call(SyscallNumber.Ioctl, terminal.Number, TcSets, (nint)state), "put the terminal in raw mode");
        }

        return new TerminalMode(terminal, before);
    }

    public void Dispose()
    {
        fixed (byte* state = _before)
        {
            Syscall.Call(SyscallNumber.Ioctl, _terminal.Number, TcSets, (nint)state);
        }
    }
}
