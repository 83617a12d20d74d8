using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>A program on a real terminal of its own: what a person at a keyboard has.</summary>
public sealed partial class PseudoTerminal : IDisposable
{
    private const int OpenReadWrite = 2;
    private const int OpenNoControllingTerminal = 0x100;
    private const int OpenCloseOnExec = 0x80000;
    private const ulong SetWindowSize = 0x5414;

    private readonly SafeFileHandle _master;
    private readonly FileStream _stream;
    private readonly Process _process;
    private readonly StringBuilder _screen = new();
    private readonly Thread _reader;

    private PseudoTerminal(SafeFileHandle master, Process process)
    {
        _master = master;
        _stream = new FileStream(master, FileAccess.ReadWrite, bufferSize: 0);
        _process = process;
        _reader = new Thread(Read) { IsBackground = true, Name = "terminal" };
        _reader.Start();
    }

    /// <summary>Everything that has been shown so far.</summary>
    public string Screen
    {
        get
        {
            lock (_screen)
            {
                return _screen.ToString();
            }
        }
    }

    public int ProcessId => _process.Id;

    public static PseudoTerminal Start(string file, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? environment, int rows = 40, int columns = 120)
    {
        var descriptor = OpenMaster(OpenReadWrite | OpenNoControllingTerminal | OpenCloseOnExec);
        if (descriptor < 0 || Grant(descriptor) != 0 || Unlock(descriptor) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        var master = new SafeFileHandle(descriptor, ownsHandle: true);
        var name = new byte[128];
        if (Name(descriptor, name, (nuint)name.Length) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        var slave = Encoding.ASCII.GetString(name, 0, Array.IndexOf(name, (byte)0));
        Resize(descriptor, rows, columns);

        // The leader of a new session that opens a terminal gets it as its controlling terminal.
        var process = Command.Start(
            "/usr/bin/setsid",
            ["--wait", "/bin/sh", "-c", "slave=$1; shift; exec <\"$slave\" >\"$slave\" 2>&1; exec \"$@\"", "sh", slave, file, .. arguments],
            new Dictionary<string, string?>(environment ?? new Dictionary<string, string?>()) { ["TERM"] = "xterm" });
        return new PseudoTerminal(master, process);
    }

    /// <summary>Types text as it is; a line's end is \n, as the Enter key is translated by the terminal.</summary>
    public void Type(string text)
    {
        _stream.Write(Encoding.UTF8.GetBytes(text));
        _stream.Flush();
    }

    /// <summary>Waits until text has been shown after what was seen before <paramref name="from"/>, and returns where it ends.</summary>
    public async Task<int> SeesAsync(string text, int from = 0, double seconds = 30)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var screen = Screen;
            var at = screen.IndexOf(text, Math.Min(from, screen.Length), StringComparison.Ordinal);
            if (at >= 0)
            {
                return at + text.Length;
            }

            if (watch.Elapsed.TotalSeconds > seconds || _process.HasExited && !_reader.IsAlive)
            {
                Assert.Fail($"the terminal never showed \"{text}\"; it showed:\n{screen}");
            }

            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    public void Resize(int rows, int columns) => Resize((int)_master.DangerousGetHandle(), rows, columns);

    /// <summary>Waits for the program's end and returns its exit code.</summary>
    public async Task<int> ExitAsync(double seconds = 30)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(seconds));
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"the program on the terminal did not end; it showed:\n{Screen}");
        }

        _reader.Join(2000);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _reader.Join(2000);
        _stream.Dispose();
        _master.Dispose();
        _process.Dispose();
    }

    private static void Resize(int descriptor, int rows, int columns)
    {
        var size = new WindowSize((ushort)rows, (ushort)columns, 0, 0);
        if (Control(descriptor, SetWindowSize, ref size) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    private void Read()
    {
        var buffer = new byte[8192];
        var characters = new char[8192];
        var decoder = Encoding.UTF8.GetDecoder();
        try
        {
            while (true)
            {
                // Until the program has opened its side a read fails just as it does after the end.
                int length;
                try
                {
                    length = _stream.Read(buffer);
                }
                catch (IOException) when (!_process.HasExited)
                {
                    Thread.Sleep(5);
                    continue;
                }

                if (length == 0)
                {
                    return;
                }

                var count = decoder.GetChars(buffer, 0, length, characters, 0);
                lock (_screen)
                {
                    _screen.Append(characters, 0, count);
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The last program closed the terminal.
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct WindowSize(ushort Rows, ushort Columns, ushort Width, ushort Height);

    [LibraryImport("libc", EntryPoint = "posix_openpt", SetLastError = true)]
    private static partial int OpenMaster(int flags);

    [LibraryImport("libc", EntryPoint = "grantpt", SetLastError = true)]
    private static partial int Grant(int descriptor);

    [LibraryImport("libc", EntryPoint = "unlockpt", SetLastError = true)]
    private static partial int Unlock(int descriptor);

    [LibraryImport("libc", EntryPoint = "ptsname_r", SetLastError = true)]
    private static partial int Name(int descriptor, byte[] buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int descriptor, ulong request, ref WindowSize size);
}
