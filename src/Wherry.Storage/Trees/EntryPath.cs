using System.Text;
using Wherry.Storage.Archives;

namespace Wherry.Storage.Trees;

/// <summary>A member's place below the root: the directories, and the name in the last of them.</summary>
/// <param name="Parent">Components joined by <c>/</c>; empty is the root.</param>
/// <param name="Name">Empty when the member is the root itself.</param>
internal readonly record struct EntryPath(byte[] Parent, byte[] Name)
{
    internal bool IsRoot => Name.Length == 0;

    internal byte[] Full => Parent.Length == 0 ? Name : [.. Parent, (byte)'/', .. Name];

    /// <summary>
    /// Reads a name from an archive. Absolute names count from the root; one that climbs above it is refused,
    /// because no honest archive has it.
    /// </summary>
    internal static EntryPath Parse(ReadOnlySpan<byte> name)
    {
        Span<byte> path = name.Length <= 1024 ? stackalloc byte[1024] : new byte[name.Length];
        var length = 0;
        foreach (var range in name.Split((byte)'/'))
        {
            var component = name[range];
            if (component.IsEmpty || component.SequenceEqual("."u8))
                continue;
            if (component.SequenceEqual(".."u8))
            {
                if (length == 0)
                    throw new TarFormatException($"{Encoding.UTF8.GetString(name)}: the path leaves the archive's root");
                length = Math.Max(0, path[..length].LastIndexOf((byte)'/'));
                continue;
            }
            if (length > 0)
                path[length++] = (byte)'/';
            component.CopyTo(path[length..]);
            length += component.Length;
        }
        var slash = path[..length].LastIndexOf((byte)'/');
        return slash < 0
            ? new EntryPath([], path[..length].ToArray())
            : new EntryPath(path[..slash].ToArray(), path[(slash + 1)..length].ToArray());
    }
}
