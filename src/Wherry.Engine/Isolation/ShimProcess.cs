using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Engine.Isolation;

/// <summary>A supervisor found again by what it left in its state directory.</summary>
internal sealed class ShimProcess
{
    private readonly int _pid;
    private readonly ulong _startTime;

    private ShimProcess(int pid, ulong startTime)
    {
        _pid = pid;
        _startTime = startTime;
    }

    /// <returns>Null when it has ended, or its id belongs to another process now.</returns>
    public static ShimProcess? Find(SandboxLocation location)
    {
        try
        {
            var parts = File.ReadAllText(Path.Combine(location.StateDirectory, StateFiles.Pid)).Split(' ', 2, StringSplitOptions.TrimEntries);
            var found = new ShimProcess(int.Parse(parts[0]), ulong.Parse(parts[1]));
            return found.IsAlive ? found : null;
        }
        catch (Exception absent) when (absent is IOException or FormatException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    private bool IsAlive => StartTimeOf(_pid) == _startTime;

    /// <summary>Kills it, and its container with it, and waits for its end.</summary>
    /// <exception cref="WherryException">It did not end in time.</exception>
    public void Kill(TimeSpan patience)
    {
        var end = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        using var handle = OpenUnlessGone();
        while (handle is not null && IsAlive)
        {
            ProcessSyscalls.Kill(handle, SignalNumber.Kill);

            // Collects it where it is our child; does nothing otherwise.
            ProcessSyscalls.Wait(_pid, block: false);
            if (Environment.TickCount64 > end)
            {
                throw WherryException.System($"supervisor process {_pid} did not end within {patience.TotalSeconds:0} s of SIGKILL");
            }

            Thread.Sleep(1);
        }
    }

    /// <summary>The start time is read again after the descriptor is open, so that the descriptor is surely the supervisor's.</summary>
    private FileDescriptor? OpenUnlessGone()
    {
        try
        {
            var handle = ProcessSyscalls.OpenPidfd(_pid);
            if (IsAlive)
            {
                return handle;
            }

            handle.Dispose();
            return null;
        }
        catch (LinuxException)
        {
            return null;
        }
    }

    /// <summary>Field 22 of proc(5)'s stat, in clock ticks since boot; 0 when there is no such process or it is a zombie.</summary>
    private static ulong StartTimeOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? 0 : ulong.Parse(fields[19]);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
