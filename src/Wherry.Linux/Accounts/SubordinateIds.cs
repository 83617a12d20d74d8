using System.Globalization;
using System.Runtime.InteropServices;
using Wherry.Linux.Processes;

namespace Wherry.Linux.Accounts;

/// <summary>The ids beside his own that a user may use in user namespaces (subuid(5), subgid(5)).</summary>
public static partial class SubordinateIds
{
    /// <summary>Serializes getpwuid(3), whose answer lies in memory of its own that the next call overwrites.</summary>
    private static readonly Lock Gate = new();

    /// <summary>
    /// A user's own id as root and his subordinate ids as the others, from 1 up: the mappings with which a user namespace
    /// holds whole systems. Only root where he has been granted none.
    /// </summary>
    public static (IReadOnlyList<IdRange> Users, IReadOnlyList<IdRange> Groups) MappingsOf(uint uid, uint gid)
    {
        var name = NameOf(uid);
        return (
            WithRoot(uid, Of(SubordinateIdFile.Read(SubordinateIdFile.Users), name, uid)),
            WithRoot(gid, Of(SubordinateIdFile.Read(SubordinateIdFile.Groups), name, uid)));
    }

    /// <param name="entries">Of a file; what is no range counts for nothing, as with newuidmap(1).</param>
    /// <param name="name">The user's name; null where he has none.</param>
    /// <param name="uid">The user's id, which may stand for the name.</param>
    public static IReadOnlyList<(uint First, uint Count)> Of(IReadOnlyList<SubordinateIdEntry> entries, string? name, uint uid)
    {
        var number = uid.ToString(CultureInfo.InvariantCulture);
        var found = new List<(uint First, uint Count)>();
        foreach (var (owner, range) in entries)
        {
            if ((owner == number || (name is not null && owner == name))
                && range.Split(':') is [var first, var count]
                && uint.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var start)
                && uint.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                && length > 0)
            {
                found.Add((start, length));
            }
        }

        return found;
    }

    private static List<IdRange> WithRoot(uint own, IReadOnlyList<(uint First, uint Count)> others)
    {
        var ranges = new List<IdRange> { new(0, own, 1) };
        uint next = 1;
        foreach (var (first, count) in others.Take(UserNamespace.MostRanges - 1))
        {
            ranges.Add(new IdRange(next, first, count));
            next += count;
        }

        return ranges;
    }

    private static string? NameOf(uint uid)
    {
        lock (Gate)
        {
            // SAFETY: the result is null or points to a struct passwd, whose first field is the name; it stays valid until
            // the next call, which the lock keeps away.
            var found = GetUser(uid);
            return found == 0 ? null : Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(found));
        }
    }

    [LibraryImport("libc", EntryPoint = "getpwuid")]
    private static partial nint GetUser(uint uid);
}
