using System.Text;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Processes;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Shim.Supervision;

/// <summary>Writes this process's id and start time, by which an engine tells it from a stranger that got its id later.</summary>
public static class OwnPidFile
{
    private const int OwnerOnly = 0x180;

    // Field 22 of proc(5)'s stat; the split begins at field 3, behind the name.
    private const int StartTimeField = 22 - 3;

    public static void Write(string directory)
    {
        var stat = FileSyscalls.TryReadText("/proc/self/stat") ?? "";
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        using var file = FileSyscalls.Open(Path.Combine(directory, StateFiles.Pid), OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate, OwnerOnly);
        Syscall.Check(FileSyscalls.Write(file.Number, Encoding.ASCII.GetBytes($"{ProcessSyscalls.CurrentId} {fields[StartTimeField]}\n")), "write the pid file");
    }
}
