namespace Wherry.Runtime.Programs;

/// <summary>The environment a program gets, of the entries that were asked for.</summary>
internal static class ProgramEnvironment
{
    private const string Home = "HOME=";

    /// <summary>Every variable once, with the value it was given last: of two, which one a program finds is its own affair.</summary>
    /// <param name="entries"><c>NAME=value</c>, in order.</param>
    /// <param name="home">The value of <c>HOME</c> where it has none; null to leave that alone.</param>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> entries, string? home)
    {
        var places = new Dictionary<string, int>(entries.Count, StringComparer.Ordinal);
        var environment = new List<string>(entries.Count + 1);
        foreach (var entry in entries)
        {
            if (home is not null && entry == Home)
            {
                continue;
            }

            var name = NameOf(entry);
            if (places.TryGetValue(name, out var place))
            {
                environment[place] = entry;
                continue;
            }

            places[name] = environment.Count;
            environment.Add(entry);
        }

        if (home is not null && !places.ContainsKey(Home[..^1]))
        {
            environment.Add(Home + home);
        }

        return environment;
    }

    private static string NameOf(string entry) => entry.IndexOf('=') is var end and > 0 ? entry[..end] : entry;
}
