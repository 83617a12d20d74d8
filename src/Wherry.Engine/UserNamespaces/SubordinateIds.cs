using System.Globalization;
using Wherry.Errors;
using Wherry.Linux.Accounts;

namespace Wherry.Engine.UserNamespaces;

/// <summary>The ids of the host that containers with user namespaces get theirs from (subuid(5), subgid(5)).</summary>
/// <param name="Users">Areas of user ids, in the order they are used up.</param>
/// <param name="Groups">Of group ids.</param>
public sealed record SubordinateIds(IReadOnlyList<IdSpan> Users, IReadOnlyList<IdSpan> Groups)
{
    /// <summary>Whose entries are taken, the first that has any; they need no accounts of those names.</summary>
    private static readonly string[] Owners = ["wherry", "containers"];

    /// <summary>Where nobody has entries: the upper half of all ids, which neither accounts nor other tools' ranges use.</summary>
    private static readonly IdSpan[] UpperHalf = [new(0x8000_0000, 0x7FFF_0000)];

    /// <summary>One area for both; what <c>wherryd --userns-ids</c> says.</summary>
    /// <exception cref="WherryException">InvalidParameter: that is no range of ids.</exception>
    public static SubordinateIds Of(string area)
    {
        IdSpan[] spans = [IdSpan.Parse(area, "userns-ids")];
        return new SubordinateIds(spans, spans);
    }

    /// <summary>What the host's files give to containers, or else the upper half of all ids.</summary>
    public static SubordinateIds OfHost() => Choose(SubordinateIdFile.Read(SubordinateIdFile.Users), SubordinateIdFile.Read(SubordinateIdFile.Groups));

    internal static SubordinateIds Choose(IReadOnlyList<SubordinateIdEntry> users, IReadOnlyList<SubordinateIdEntry> groups)
    {
        foreach (var owner in Owners)
        {
            if (Entries(users, owner) is { Count: > 0 } uids && Entries(groups, owner) is { Count: > 0 } gids)
            {
                return new SubordinateIds(uids, gids);
            }
        }

        return new SubordinateIds(UpperHalf, UpperHalf);
    }

    /// <summary>The mode that gives every container the ids of one user, as dockerd's <c>--userns-remap</c> does.</summary>
    /// <param name="remap"><c>default</c>, or <c>USER[:GROUP]</c> with entries in the two files; a group left out is called as the user.</param>
    /// <exception cref="WherryException">InvalidParameter: there are no such entries.</exception>
    public static string ModeOf(string remap)
    {
        if (remap == "default")
        {
            return "auto";
        }

        var colon = remap.IndexOf(':');
        var (user, group) = colon < 0 ? (remap, remap) : (remap[..colon], remap[(colon + 1)..]);
        var users = FirstOf(SubordinateIdFile.Users, user);
        var groups = FirstOf(SubordinateIdFile.Groups, group);
        return string.Create(CultureInfo.InvariantCulture, $"{users.First}:{users.Count},{groups.First}:{groups.Count}");
    }

    private static IdSpan FirstOf(string file, string owner) =>
        Entries(SubordinateIdFile.Read(file), owner) is [var first, ..] ? first : throw WherryException.Invalid($"userns-remap: {file} has no entry of \"{owner}\"");

    private static IReadOnlyList<IdSpan> Entries(IReadOnlyList<SubordinateIdEntry> entries, string owner) =>
        [.. entries.Where(entry => entry.Owner == owner).Select(static entry => IdSpan.Parse(entry.Range, $"{SubordinateIdFile.Users} or {SubordinateIdFile.Groups}, entry \"{entry.Owner}:{entry.Range}\""))];
}
