using System.Globalization;
using System.Text;
using Wherry.Errors;
using Wherry.Linux.FileTrees;

namespace Wherry.Engine.Files;

/// <summary>The ids of a container's user by the container's own passwd(5) and group(5).</summary>
internal static class ContainerUser
{
    private const int LargestFile = 1 << 20;

    /// <param name="root">The container's root.</param>
    /// <param name="user"><c>user[:group]</c>, names or numbers.</param>
    /// <exception cref="WherryException">InvalidParameter: a name has no entry.</exception>
    public static (uint Uid, uint Gid) Find(ContainerRoot root, string user)
    {
        var colon = user.IndexOf(':');
        var name = colon < 0 ? user : user[..colon];
        var group = colon < 0 ? "" : user[(colon + 1)..];
        var entry = Entry(root, "passwd", name, fields: 4);
        var uid = entry is not null ? Number(entry[2]) : Number(name);
        if (uid is null)
        {
            throw WherryException.Invalid($"unable to find user {name}: no matching entries in passwd file");
        }

        var gid = group.Length == 0 ? (entry is not null ? Number(entry[3]) : 0)
            : Entry(root, "group", group, fields: 3) is { } found ? Number(found[2]) : Number(group);
        return (uid.Value, gid ?? throw WherryException.Invalid($"unable to find group {group}: no matching entries in group file"));
    }

    private static string[]? Entry(ContainerRoot root, string file, string name, int fields) =>
        Read(root, file).Split('\n').Select(line => line.Split(':')).FirstOrDefault(parts => parts.Length >= fields && parts[0] == name);

    private static string Read(ContainerRoot root, string file)
    {
        try
        {
            using var etc = root.OpenDirectory("/etc");
            var errno = FileTree.OpenRegular(etc, Encoding.ASCII.GetBytes(file), out var opened);
            using (opened)
            {
                var buffer = new byte[LargestFile];
                var length = errno == 0 ? FileTree.ReadAt(opened, buffer, 0) : 0;
                return Encoding.UTF8.GetString(buffer, 0, Math.Max(length, 0));
            }
        }
        catch (WherryException missing) when (missing.Kind is ErrorKind.NotFound or ErrorKind.InvalidParameter)
        {
            return "";
        }
    }

    private static uint? Number(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
