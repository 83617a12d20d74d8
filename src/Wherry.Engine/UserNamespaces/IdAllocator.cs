using Wherry.Errors;
using Wherry.Linux.Processes;

namespace Wherry.Engine.UserNamespaces;

/// <summary>Finds ids of the host for a container that no other container has. Pure.</summary>
internal static class IdAllocator
{
    /// <summary>Every id up to a number.</summary>
    /// <param name="areas">Where they may be taken from.</param>
    /// <param name="taken">Those other containers have, in any order.</param>
    /// <param name="size">How many.</param>
    /// <exception cref="WherryException">Conflict: there are not that many left in one piece.</exception>
    public static IReadOnlyList<IdRange> Allocate(IReadOnlyList<IdSpan> areas, IReadOnlyList<IdSpan> taken, uint size) =>
        [new IdRange(0, Find(areas, taken, size).First, size)];

    /// <summary>The same, but for one id inside, which is one of the host's that is given.</summary>
    /// <param name="areas">Where the others may be taken from.</param>
    /// <param name="taken">Those other containers have.</param>
    /// <param name="size">How many, the kept one among them if it is below that.</param>
    /// <param name="inside">Who the kept one is inside.</param>
    /// <param name="kept">On the host.</param>
    public static IReadOnlyList<IdRange> AllocateAround(IReadOnlyList<IdSpan> areas, IReadOnlyList<IdSpan> taken, uint size, uint inside, uint kept)
    {
        var first = Find(areas, [.. taken, new IdSpan(kept, 1)], size).First;
        IdRange[] ranges = inside < size
            ? [new(0, first, inside), new(inside, kept, 1), new(inside + 1, first + inside, size - inside - 1)]
            : [new(0, first, size), new(inside, kept, 1)];
        return [.. ranges.Where(range => range.Count > 0)];
    }

    private static IdSpan Find(IReadOnlyList<IdSpan> areas, IReadOnlyList<IdSpan> taken, uint size)
    {
        var sorted = taken.OrderBy(span => span.First).ToArray();
        foreach (var area in areas)
        {
            long at = area.First;
            foreach (var span in sorted)
            {
                if (span.First >= at + size)
                {
                    break;
                }

                at = Math.Max(at, span.End);
            }

            if (at + size <= area.End)
            {
                return new IdSpan((uint)at, size);
            }
        }

        var whole = string.Join(", ", areas.Select(area => $"{area.First}:{area.Count}"));
        throw WherryException.Conflict($"no {size} ids in one piece are left for a user namespace in {whole}: remove containers, or give the engine more (wherryd --userns-ids, or entries of wherry in /etc/subuid and /etc/subgid)");
    }
}
