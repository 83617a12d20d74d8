using System.Runtime.InteropServices;

namespace Wherry.Linux.Accounts;

/// <summary>The host's groups, through the C library so that directory services count too.</summary>
public static partial class GroupDatabase
{
    /// <summary>Serializes getgrnam(3), whose answer lies in memory of its own that the next call overwrites.</summary>
    private static readonly Lock Gate = new();

    /// <summary>The number of a group given by name or number; null where there is none of that name.</summary>
    public static uint? Find(string name)
    {
        lock (Gate)
        {
            // SAFETY: the result is null or points to a struct group (name, password, gid, members) that stays
            // valid until the next call, which the lock keeps away.
            var found = GetGroup(name);
            if (found != 0)
            {
                return (uint)Marshal.ReadInt32(found, 2 * nint.Size);
            }
        }

        return uint.TryParse(name, out var number) ? number : null;
    }

    /// <summary>Gives a file to a group, leaving its owner.</summary>
    public static void GiveTo(string path, uint group)
    {
        const uint Unchanged = uint.MaxValue;
        if (ChangeOwner(path, Unchanged, group) != 0)
        {
            throw new LinuxException($"give {path} to group {group}", Marshal.GetLastPInvokeError());
        }
    }

    [LibraryImport("libc", EntryPoint = "getgrnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetGroup(string name);

    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int ChangeOwner(string path, uint owner, uint group);
}
