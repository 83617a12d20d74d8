using System.Text;
using Wherry.Errors;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Processes;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Shim.Supervision;

/// <summary>Writes this process's id and start time, by which an engine tells it from a stranger that got its id later.</summary>
public static class OwnPidFile
{
    private const int OwnerOnly = 0x180;

    public static void Write(string directory)
    {
        var self = ProcessStat.TryRead(ProcessSyscalls.CurrentId) ?? throw WherryException.System("/proc does not show this process");
        using var file = FileSyscalls.Open(Path.Combine(directory, StateFiles.Pid), OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate, OwnerOnly);
        Syscall.Check(FileSyscalls.Write(file.Number, Encoding.ASCII.GetBytes($"{ProcessSyscalls.CurrentId} {self.StartTime}\n")), "write the pid file");
    }
}
