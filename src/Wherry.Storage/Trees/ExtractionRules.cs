using Wherry.Linux.Processes;
using Wherry.Storage.Archives;

namespace Wherry.Storage.Trees;

/// <summary>How an archive's members become files.</summary>
public sealed record ExtractionRules
{
    /// <summary>A layer: <c>.wh.</c> names become overlay's marks, everything is as the archive says.</summary>
    public static ExtractionRules Layer { get; } = new() { Whiteouts = true, DescribesRoot = true };

    /// <summary>Files for a container: every name means itself, and the directory they go into stays as it is.</summary>
    public static ExtractionRules Files { get; } = new();

    /// <summary>Names that begin with <c>.wh.</c> tell deletions.</summary>
    public bool Whiteouts { get; init; }

    /// <summary>A member that is the root itself sets the root's attributes.</summary>
    public bool DescribesRoot { get; init; }

    /// <summary>A directory is not replaced by something else, nor the other way round.</summary>
    public bool KeepKind { get; init; }

    /// <summary>False leaves everything to whoever unpacks, who may not be allowed to give files away.</summary>
    public bool SetsOwner { get; init; } = true;

    /// <summary>Changes members before they become files, such as their names; null from it leaves one out.</summary>
    public Func<TarEntry, TarEntry?>? Rewrite { get; init; }

    /// <summary>Everything gets this owner, whatever the archive says; as seen from inside the user namespace.</summary>
    public (uint Uid, uint Gid)? Owner { get; init; }

    /// <summary>From ids inside a user namespace, which the archive has, to the host's. Null is one to one.</summary>
    public IdMap? Ids { get; init; }

    /// <summary>The owner of directories that the archive implies but does not have; null leaves it to the kernel.</summary>
    internal (uint Uid, uint Gid)? ImpliedOwner => Ids is null && Owner is null ? null : Map(Owner ?? (0, 0), "a directory");

    /// <summary>The member with the owner it will have on the host.</summary>
    /// <exception cref="TarFormatException">Its owner has no id on the host.</exception>
    internal TarEntry? Apply(TarEntry member)
    {
        var entry = Rewrite is null ? member : Rewrite(member);
        if (entry is null || (Owner is null && Ids is null))
            return entry;
        var (uid, gid) = Map(Owner ?? (entry.Uid, entry.Gid), entry.NameText);
        return entry with
        {
            Uid = uid,
            Gid = gid,
            Attributes = Ids is null ? entry.Attributes : [.. entry.Attributes.Select(pair => new KeyValuePair<string, byte[]>(pair.Key, FileCapabilities.Outside(Ids, pair.Key, pair.Value)))],
        };
    }

    private (uint Uid, uint Gid) Map((uint Uid, uint Gid) inside, string name)
    {
        if (Ids is null)
            return inside;
        return (
            IdRange.ToOutside(Ids.Users, inside.Uid) ?? throw Unmapped("user", inside.Uid),
            IdRange.ToOutside(Ids.Groups, inside.Gid) ?? throw Unmapped("group", inside.Gid));

        TarFormatException Unmapped(string what, uint id) => new($"{name}: {what} {id} has no id on the host in this user namespace's map");
    }
}
