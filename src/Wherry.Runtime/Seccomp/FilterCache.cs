using Wherry.Linux;
using Wherry.Linux.Files;

namespace Wherry.Runtime.Seccomp;

/// <summary>A compiled filter in a file that is named after its rules, so that one is compiled once and not at each start.</summary>
internal static class FilterCache
{
    private const int OwnerOnly = 0x180;

    /// <summary>Null when there is none, or one of another version.</summary>
    public static CompiledFilter? TryRead(string path)
    {
        try
        {
            using var file = FileSyscalls.Open(path, OpenFlags.ReadOnly);
            return TryRead(file);
        }
        catch (LinuxException)
        {
            return null;
        }
    }

    /// <summary>The same of an open file.</summary>
    public static CompiledFilter? TryRead(FileDescriptor file) => CompiledFilter.TryParse(FileSyscalls.ReadToEnd(file, CompiledFilter.LargestFile));

    /// <summary>Puts it there in one step: others may read at the same moment. A cache that can't be written is done without.</summary>
    public static void TryWrite(string path, CompiledFilter filter, string uniqueSuffix)
    {
        var temporary = $"{path}.{uniqueSuffix}";
        try
        {
            using (var file = FileSyscalls.Open(temporary, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, OwnerOnly))
            {
                var bytes = filter.ToBytes().AsSpan();
                while (bytes.Length > 0)
                {
                    var written = FileSyscalls.Write(file.Number, bytes);
                    if (written <= 0)
                    {
                        throw new LinuxException($"write {temporary}", -written);
                    }

                    bytes = bytes[written..];
                }
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is LinuxException or IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
        }
    }
}
