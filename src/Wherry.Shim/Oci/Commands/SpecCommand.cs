using System.Text;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Processes;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Shim.Oci.CommandLine;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>wherry-oci spec</c>: a configuration to begin with, for a root file system in <c>rootfs</c>.</summary>
public sealed class SpecCommand : ICommand
{
    private const int ReadableByAll = 0x1a4;

    public OptionTable Options => new("spec [options]",
        "bundle,b= Directory to write it to (default: the working directory)",
        "rootless One for an ordinary user: in a user namespace, as root of which the caller is seen");

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        parsed.RequireOperands("spec", 0);
        var path = Path.Combine(Path.GetFullPath(parsed.Text("bundle") is { Length: > 0 } bundle ? bundle : "."), StateFiles.Config);
        try
        {
            using var file = FileSyscalls.Open(path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, ReadableByAll);
            var text = parsed.IsOn("rootless") ? SpecTemplate.Rootless(ProcessSyscalls.EffectiveIds) : SpecTemplate.Text;
            Syscall.Check(FileSyscalls.Write(file.Number, Encoding.UTF8.GetBytes(text)), $"write {path}");
            return 0;
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.EEXIST)
        {
            throw WherryException.Conflict($"File {StateFiles.Config} exists. Remove it first");
        }
    }
}
