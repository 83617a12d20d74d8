using System.Text;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Files;

/// <summary>Extended attributes of open files (xattr(7)).</summary>
public static unsafe class ExtendedAttributes
{
    private const int LargestValue = 64 * 1024;

    /// <summary>Copies all but overlay's own bookkeeping; what the target's file system can't hold is left out.</summary>
    public static void Copy(FileDescriptor from, FileDescriptor to)
    {
        var size = (int)Syscall.Call(SyscallNumber.Flistxattr, from.Number, 0, 0);
        if (size <= 0)
        {
            return;
        }

        var list = new byte[size];
        var value = new byte[LargestValue];
        fixed (byte* listStart = list, valueStart = value)
        {
            size = (int)Syscall.Call(SyscallNumber.Flistxattr, from.Number, (nint)listStart, list.Length);
            for (var at = 0; at < size;)
            {
                var length = list.AsSpan(at, size - at).IndexOf((byte)0);
                var name = Encoding.UTF8.GetString(list, at, length);
                if (!name.StartsWith("trusted.overlay.", StringComparison.Ordinal) && !name.StartsWith("user.overlay.", StringComparison.Ordinal))
                {
                    // SAFETY: the name is null-terminated in the list itself.
                    var got = Syscall.Call(SyscallNumber.Fgetxattr, from.Number, (nint)(listStart + at), (nint)valueStart, LargestValue);
                    if (got >= 0)
                    {
                        Syscall.Call(SyscallNumber.Fsetxattr, to.Number, (nint)(listStart + at), (nint)valueStart, got, 0);
                    }
                }

                at += length + 1;
            }
        }
    }
}
