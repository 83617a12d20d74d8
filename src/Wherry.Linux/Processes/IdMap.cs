namespace Wherry.Linux.Processes;

/// <summary>The id maps of a user namespace (user_namespaces(7)).</summary>
public sealed record IdMap(IReadOnlyList<IdRange> Users, IReadOnlyList<IdRange> Groups)
{
    /// <summary>Who owns what has no owner inside (/proc/sys/kernel/overflowuid).</summary>
    public const uint Nobody = 65534;

    /// <summary>The ids outside of the root inside; null when it has none.</summary>
    public (uint Uid, uint Gid)? Root =>
        (IdRange.ToOutside(Users, 0), IdRange.ToOutside(Groups, 0)) is ({ } uid, { } gid) ? (uid, gid) : null;

    /// <summary>An owner as it is seen inside.</summary>
    public (uint Uid, uint Gid) Inside(uint uid, uint gid) =>
        (IdRange.ToInside(Users, uid) ?? Nobody, IdRange.ToInside(Groups, gid) ?? Nobody);
}
