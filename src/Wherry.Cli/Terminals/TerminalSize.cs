using System.Runtime.InteropServices;

namespace Wherry.Cli.Terminals;

/// <summary>The size of a terminal in character cells.</summary>
internal readonly record struct TerminalSize(int Height, int Width)
{
    private const nuint GetWindowSize = 0x5413;

    /// <summary>The size of the terminal behind <paramref name="descriptor"/>; null where there is none or it does not know.</summary>
    internal static unsafe TerminalSize? Of(int descriptor)
    {
        WindowSize size;
        // SAFETY: TIOCGWINSZ fills one struct winsize, which lives on this stack frame.
        if (Libc.Ioctl(descriptor, GetWindowSize, &size) != 0 || size.Rows == 0 || size.Columns == 0)
        {
            return null;
        }

        return new TerminalSize(size.Rows, size.Columns);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowSize
    {
        internal ushort Rows;
        internal ushort Columns;
        internal ushort HorizontalPixels;
        internal ushort VerticalPixels;
    }
}
