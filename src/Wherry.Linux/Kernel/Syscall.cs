using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Wherry.Linux.Kernel;

/// <summary>
/// The raw system call. Everything in this library goes through it rather than through libc's wrappers, for
/// two reasons: it acts on the calling thread alone (libc's setuid and friends signal every thread), and it
/// may be made in a child that shares this process's memory (<see cref="Processes.VforkChild"/>).
/// </summary>
public static unsafe partial class Syscall
{
    /// <summary>Makes the call; the result is the kernel's own: negative is minus errno.</summary>
    public static nint Call(int number, nint a = 0, nint b = 0, nint c = 0, nint d = 0, nint e = 0, nint f = 0)
    {
        // SAFETY: libc's syscall() only loads registers; what the arguments point to is the caller's business.
        var result = RawSyscall(number, a, b, c, d, e, f);
        return result == -1 ? -Marshal.GetLastSystemError() : result;
    }

    /// <summary>Makes the call again for as long as a signal interrupts it.</summary>
    public static nint Retry(int number, nint a = 0, nint b = 0, nint c = 0, nint d = 0, nint e = 0, nint f = 0)
    {
        nint result;
        do
        {
            result = Call(number, a, b, c, d, e, f);
        }
        while (result == -Errno.EINTR);
        return result;
    }

    /// <summary>Returns a successful result, throws for a failed one.</summary>
    /// <param name="result">What <see cref="Call"/> returned.</param>
    /// <param name="doing">The operation and its object, only evaluated on failure.</param>
    /// <exception cref="LinuxException">The call failed.</exception>
    public static nint Check(nint result, [InterpolatedStringHandlerArgument(nameof(result))] ref FailureText doing) =>
        result >= 0 ? result : throw new LinuxException(doing.ToStringAndClear(), (int)-result);

    /// <inheritdoc cref="Check(nint, ref FailureText)"/>
    public static nint Check(nint result, string doing) =>
        result >= 0 ? result : throw new LinuxException(doing, (int)-result);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint RawSyscall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);
}

/// <summary>Builds the text of a failure only when there is one.</summary>
[InterpolatedStringHandler]
public ref struct FailureText
{
    private DefaultInterpolatedStringHandler _text;

    public FailureText(int literalLength, int formattedCount, nint result, out bool failed)
    {
        failed = result < 0;
        _text = failed ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    internal string ToStringAndClear() => _text.ToStringAndClear();
}
