using System.Globalization;
using System.Text;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;

namespace Wherry.Shim.Oci.Containers;

/// <summary>The file a caller learns a process's id from. It appears whole, when all else is done.</summary>
public static class PidFile
{
    private const int ReadableByAll = 0x1a4; // 0644

    public static void Write(string? path, int pid)
    {
        if (path is null)
        {
            return;
        }

        var (directory, name) = (Path.GetDirectoryName(path)!, Path.GetFileName(path));
        using var parent = FileSyscalls.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory);
        var partial = $".{name}";
        using (var file = FileSyscalls.OpenAt(parent, partial, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate, ResolveFlags.None, ReadableByAll))
        {
            Syscall.Check(FileSyscalls.Write(file.Number, Encoding.ASCII.GetBytes(pid.ToString(CultureInfo.InvariantCulture))), $"write {path}");
        }

        DirectorySyscalls.Rename(parent, partial, name);
    }
}
