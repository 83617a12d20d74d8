using System.Globalization;
using System.Text;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.Identity;

/// <summary>Finds users and groups in a container's own /etc/passwd and /etc/group (passwd(5), group(5)), as Docker does.</summary>
public static class UserLookup
{
    private const int LargestFile = 16 * 1024 * 1024;
    private const uint LargestId = int.MaxValue;

    /// <param name="root">The container's root.</param>
    /// <param name="asked">Docker's <c>user[:group]</c>, names or numbers; null takes <paramref name="fallback"/>.</param>
    /// <param name="fallback">Runtime-spec's numeric user.</param>
    /// <param name="additionalGroups">Names or numbers.</param>
    /// <exception cref="SandboxStartException">A name has no entry.</exception>
    public static ResolvedUser Resolve(RootDirectory root, string? asked, User fallback, IReadOnlyList<string> additionalGroups) =>
        Resolve(Read(root, "/etc/passwd"), () => Read(root, "/etc/group"), asked, fallback, additionalGroups);

    /// <inheritdoc cref="Resolve(RootDirectory, string?, User, IReadOnlyList{string})"/>
    /// <param name="passwd">The text of /etc/passwd.</param>
    /// <param name="readGroup">Gives the text of /etc/group when it is needed.</param>
    public static ResolvedUser Resolve(string passwd, Func<string> readGroup, string? asked, User fallback, IReadOnlyList<string> additionalGroups)
    {
        var groups = new List<uint>(fallback.AdditionalGids);
        uint uid;
        uint gid;
        string? home;
        if (string.IsNullOrEmpty(asked))
        {
            (uid, gid) = (fallback.Uid, fallback.Gid);
            home = FindUser(passwd, null, uid)?.Home;
        }
        else
        {
            var colon = asked.IndexOf(':');
            var user = colon < 0 ? asked : asked[..colon];
            var group = colon < 0 ? "" : asked[(colon + 1)..];
            var entry = FindUser(passwd, user, null);
            if (entry is null && TryId(user, out var number))
            {
                entry = FindUser(passwd, null, number) ?? new PasswdEntry("", number, 0, "/");
            }

            if (entry is null && user.Length == 0)
            {
                entry = FindUser(passwd, null, 0) ?? new PasswdEntry("root", 0, 0, "/");
            }

            if (entry is null)
            {
                throw new SandboxStartException($"unable to find user {user}: no matching entries in passwd file", 126);
            }

            (uid, gid, home) = (entry.Uid, entry.Gid, entry.Home);
            if (group.Length > 0)
            {
                gid = FindGroup(readGroup(), group);
            }
            else if (entry.Name.Length > 0)
            {
                groups.AddRange(GroupsOf(readGroup(), entry.Name));
            }
        }

        foreach (var group in additionalGroups)
        {
            groups.Add(FindGroup(readGroup(), group));
        }

        return new ResolvedUser(uid, gid, [.. groups.Distinct()], string.IsNullOrEmpty(home) ? "/" : home);
    }

    private static PasswdEntry? FindUser(string passwd, string? name, uint? uid)
    {
        foreach (var line in passwd.AsSpan().EnumerateLines())
        {
            // name:password:uid:gid:comment:home:shell
            var fields = line.ToString().Split(':');
            if (fields.Length >= 6 && TryId(fields[2], out var entryUid) && TryId(fields[3], out var entryGid)
                && (name is null ? entryUid == uid : fields[0] == name))
            {
                return new PasswdEntry(fields[0], entryUid, entryGid, fields[5]);
            }
        }

        return null;
    }

    private static uint FindGroup(string text, string group)
    {
        foreach (var (name, gid, _) in Groups(text))
        {
            if (name == group)
            {
                return gid;
            }
        }

        return TryId(group, out var number)
            ? number
            : throw new SandboxStartException($"unable to find group {group}: no matching entries in group file", 126);
    }

    private static IEnumerable<uint> GroupsOf(string text, string user) =>
        Groups(text).Where(entry => entry.Members.Split(',').Contains(user, StringComparer.Ordinal)).Select(entry => entry.Gid);

    private static IEnumerable<(string Name, uint Gid, string Members)> Groups(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            // name:password:gid:members
            var fields = line.Split(':');
            if (fields.Length >= 3 && TryId(fields[2], out var gid))
            {
                yield return (fields[0], gid, fields.Length > 3 ? fields[3].Trim() : "");
            }
        }
    }

    private static bool TryId(string text, out uint id) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id <= LargestId;

    // The file is the container's: a fifo or device in its place must neither block nor be read.
    private static string Read(RootDirectory root, string path)
    {
        using var file = root.TryOpen(path, OpenFlags.ReadOnly | OpenFlags.NonBlocking | OpenFlags.NoControllingTerminal);
        return file is null || FileStatus.Of(file).Type != Linux.Files.FileMode.Regular
            ? ""
            : Encoding.UTF8.GetString(FileSyscalls.ReadToEnd(file, LargestFile));
    }

    private sealed record PasswdEntry(string Name, uint Uid, uint Gid, string Home);
}
