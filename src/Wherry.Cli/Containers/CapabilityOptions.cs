namespace Wherry.Cli.Containers;

/// <summary><c>--cap-add</c> and <c>--cap-drop</c> in their full spelling, without what cancels out.</summary>
internal static class CapabilityOptions
{
    internal static (IReadOnlyList<string>? Add, IReadOnlyList<string>? Drop) Effective(string[] add, string[] drop)
    {
        var added = Names(add);
        var dropped = Names(drop);
        if (added.Contains("ALL"))
        {
            added = ["ALL"];
        }

        if (dropped.Contains("ALL"))
        {
            dropped = ["ALL"];
        }

        // Adding a capability that is also dropped by name means that it is wanted.
        if (!added.Contains("ALL"))
        {
            dropped.ExceptWith(added);
        }

        return (added.Count == 0 ? null : [.. added], dropped.Count == 0 ? null : [.. dropped]);
    }

    private static SortedSet<string> Names(string[] texts)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var name = text.Trim().ToUpperInvariant();
            names.Add(name is "ALL" or "RESET" || name.StartsWith("CAP_", StringComparison.Ordinal) ? name : "CAP_" + name);
        }

        return names;
    }
}
