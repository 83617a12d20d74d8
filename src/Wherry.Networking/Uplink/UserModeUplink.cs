using System.Globalization;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Netlink;
using Wherry.Linux.NetworkNamespaces;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;

namespace Wherry.Networking.Uplink;

/// <summary>
/// The way out of a network namespace for who is not the host's root. The program that is the way belongs to the namespace,
/// not to the engine: it goes on while the engine is away, and is found again by what is written of it.
/// </summary>
public sealed class UserModeUplink
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private UserModeUplink(UplinkProgram program) => Program = program;

    public UplinkProgram Program { get; }

    /// <summary>Finds the one that is there, or starts one and waits until it is connected.</summary>
    /// <param name="namespacePath">The network namespace, which the caller's user namespace owns.</param>
    /// <param name="lifeline">A pipe's reading end: the program ends when the last writer does.</param>
    /// <param name="record">The file in which it is written down.</param>
    /// <returns>Null where no such program is installed.</returns>
    /// <exception cref="WherryException">It does not come up.</exception>
    public static UserModeUplink? Ensure(string namespacePath, FileDescriptor lifeline, string record)
    {
        if (FindRunning(record) is var (running, _))
        {
            return new UserModeUplink(running);
        }

        if (UplinkProgram.Find(File.Exists) is not { } found)
        {
            return null;
        }

        var (program, path) = found;
        var pid = Start(program, path, namespacePath, lifeline, record + ".log");
        var started = ProcessStat.TryRead(pid)?.StartTime ?? 0;
        File.WriteAllText(record + ".tmp", string.Create(CultureInfo.InvariantCulture, $"{pid} {started} {program.Name}\n"));
        File.Move(record + ".tmp", record, overwrite: true);
        return new UserModeUplink(program);
    }

    /// <summary>Ends the program that is written down, if it lives, and forgets it.</summary>
    public static void End(string record)
    {
        if (FindRunning(record) is var (_, pid))
        {
            ProcessSyscalls.Kill(pid, SignalNumber.Kill);
            ProcessSyscalls.Wait(pid, block: false);
        }

        File.Delete(record + ".log");
        File.Delete(record);
    }

    private static (UplinkProgram Program, int Pid)? FindRunning(string record)
    {
        var words = (FileSyscalls.TryReadText(record) ?? "").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return words is [var id, var started, var name]
            && int.TryParse(id, CultureInfo.InvariantCulture, out var pid)
            && ProcessStat.TryRead(pid) is { HasEnded: false } stat
            && stat.StartTime.ToString(CultureInfo.InvariantCulture) == started
            && UplinkProgram.All.FirstOrDefault(known => known.Name == name) is { } program
            ? (program, pid)
            : null;
    }

    private static int Start(UplinkProgram program, string path, string namespacePath, FileDescriptor lifeline, string log)
    {
        const int lifelineNumber = 3;
        const int ownerOnly = 0x180; // 0600
        using var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadWrite);
        using var said = FileSyscalls.Open(log, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.Append, ownerOnly);
        var pid = ProgramSpawn.Start(path, [program.Name, .. program.Arguments(namespacePath, lifelineNumber)], [], [nothing, nothing, said, lifeline], blockedSignals: 0);
        if (IsConnected(namespacePath, pid))
        {
            return pid;
        }

        ProcessSyscalls.Kill(pid, SignalNumber.Kill);
        ProcessSyscalls.Wait(pid, block: true);
        var words = FileSyscalls.TryReadText(log, 4096)?.Trim() ?? "";
        throw WherryException.System($"{path} did not connect the containers' network: {(words.Length > 0 ? words : "it said nothing")}");
    }

    // Not all of them say when they are ready; all of them give the namespace a default route.
    private static bool IsConnected(string namespacePath, int pid)
    {
        using var target = NetworkNamespace.Open(namespacePath);
        using var route = NetworkNamespace.OnOwnThreadAsync(() =>
        {
            target.Enter();
            return NetlinkSocket.Open(NetlinkSocket.Route);
        }).GetAwaiter().GetResult();
        var end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (Environment.TickCount64 < end && ProcessStat.TryRead(pid) is { HasEnded: false })
        {
            if (Routes.ListDestinations(route).Any(destination => destination.PrefixLength == 0))
            {
                return true;
            }

            Thread.Sleep(2);
        }

        return false;
    }
}
