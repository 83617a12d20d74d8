using Wherry.Linux.Files;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Terminals;

/// <summary>Pseudo-terminals (pts(4)), always through descriptors, never by the name of the other end.</summary>
public static unsafe class PseudoTerminal
{
    private const int TiocGWinSz = 0x5413;
    private const int TiocSWinSz = 0x5414;
    private const int TiocSPtLck = 0x40045431;
    private const int TiocGPtPeer = 0x5441;
    private const int TiocSCtty = 0x540e;
    private const long DevptsMagic = 0x1cd1;
    private const uint PtmxMajor = 5;
    private const uint PtmxMinor = 2;

    /// <summary>
    /// Makes a terminal in the devpts instance mounted inside a root at /dev/pts, and opens both ends.
    /// </summary>
    /// <exception cref="Errors.WherryException">What is at /dev/pts/ptmx is not the multiplexer.</exception>
    public static (FileDescriptor Master, FileDescriptor Slave) OpenInside(RootDirectory root)
    {
        // Looked at before it is opened for real: merely opening a device someone planted there has effects.
        using var path = root.TryOpen("/dev/pts/ptmx", OpenFlags.PathOnly | OpenFlags.NoFollow)
            ?? throw Errors.WherryException.Invalid("the container has no /dev/pts/ptmx; a terminal needs a devpts mount at /dev/pts");
        var status = FileStatus.Of(path);
        if (status.Type != Files.FileMode.CharacterDevice || status.DeviceMajor != PtmxMajor || status.DeviceMinor != PtmxMinor
            || FileSyscalls.FileSystemType(path) != DevptsMagic)
        {
            throw Errors.WherryException.Invalid("the container's /dev/pts/ptmx is not a terminal multiplexer");
        }

        var master = FileSyscalls.Open(FileSyscalls.ProcPath(path), OpenFlags.ReadWrite | OpenFlags.NoControllingTerminal);
        var unlock = 0;
        Syscall.Check(Syscall.Call(SyscallNumber.Ioctl, master.Number, TiocSPtLck, (nint)(&unlock)), "unlock a terminal");
        var slave = Syscall.Check(
            Syscall.Call(SyscallNumber.Ioctl, master.Number, TiocGPtPeer, OpenFlags.ReadWrite | OpenFlags.NoControllingTerminal | OpenFlags.CloseOnExec),
            "open a terminal");
        return (master, new FileDescriptor((int)slave));
    }

    /// <summary>Sets the size; programs in the foreground get SIGWINCH.</summary>
    public static void Resize(FileDescriptor terminal, int rows, int columns)
    {
        var size = stackalloc ushort[] { (ushort)rows, (ushort)columns, 0, 0 };
        Syscall.Check(Syscall.Call(SyscallNumber.Ioctl, terminal.Number, TiocSWinSz, (nint)size), $"resize a terminal to {rows} rows of {columns}");
    }

    /// <summary>The size; null when the descriptor is no terminal.</summary>
    public static (int Rows, int Columns)? TryReadSize(FileDescriptor terminal)
    {
        var size = stackalloc ushort[4];
        return Syscall.Call(SyscallNumber.Ioctl, terminal.Number, TiocGWinSz, (nint)size) < 0 ? null : (size[0], size[1]);
    }

    /// <summary>Makes the terminal the calling session's own; minus errno on failure. For a vfork child too.</summary>
    public static int TryMakeControlling(int terminal) => (int)Syscall.Call(SyscallNumber.Ioctl, terminal, TiocSCtty, 0);
}
