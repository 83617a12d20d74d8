using System.Runtime.InteropServices;
using System.Text;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Files;

/// <summary>Reads the names in an open directory (getdents64(2)).</summary>
public static unsafe class DirectoryEntries
{
    private const int BufferSize = 32 * 1024;
    private const int LengthOffset = 16;
    private const int NameOffset = 19;

    /// <summary>All names but <c>.</c> and <c>..</c>, in the file system's order.</summary>
    public static List<string> Read(FileDescriptor directory)
    {
        var names = new List<string>();
        var buffer = (byte*)NativeMemory.Alloc(BufferSize);
        try
        {
            nint length;
            while ((length = Syscall.Check(Syscall.Call(SyscallNumber.Getdents64, directory.Number, (nint)buffer, BufferSize), "read a directory")) > 0)
            {
                // SAFETY: the kernel has filled `length` bytes with whole struct linux_dirent64 records.
                for (nint at = 0; at < length; at += *(ushort*)(buffer + at + LengthOffset))
                {
                    var name = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(buffer + at + NameOffset));
                    if (name is not ("." or ".."))
                    {
                        names.Add(name);
                    }
                }
            }

            return names;
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }
}
