using System.Text.Json;
using Wherry.Cli.Formatting;

namespace Wherry.Cli.Containers;

/// <summary>A container's ports in few words: <c>0.0.0.0:8000-8002->80-82/tcp, 443/tcp</c>.</summary>
internal static class PortList
{
    internal static string Describe(IEnumerable<JsonElement> ports)
    {
        var sorted = ports
            .Select(static p => new Entry(p.Text("IP"), p.Text("Type") is { Length: > 0 } type ? type : "tcp", (int)p.Number("PrivatePort"), (int)p.Number("PublicPort")))
            .OrderBy(static p => p.Private).ThenBy(static p => p.Address, StringComparer.Ordinal).ThenBy(static p => p.Protocol, StringComparer.Ordinal)
            .ToList();

        // Runs of ports that are published alike become ranges.
        var runs = new List<(Entry First, Entry Last)>();
        foreach (var port in sorted)
        {
            var index = runs.FindIndex(r => r.Last.Continues(port));
            if (index >= 0)
            {
                runs[index] = (runs[index].First, port);
            }
            else
            {
                runs.Add((port, port));
            }
        }

        return string.Join(", ", runs.Select(static r => Text(r.First, r.Last)));
    }

    private static string Text(Entry first, Entry last)
    {
        var container = Range(first.Private, last.Private) + "/" + first.Protocol;
        if (first.Public == 0)
        {
            return container;
        }

        var address = first.Address.Contains(':', StringComparison.Ordinal) ? $"[{first.Address}]" : first.Address;
        return $"{address}:{Range(first.Public, last.Public)}->{container}";
    }

    private static string Range(int first, int last) => first == last ? $"{first}" : $"{first}-{last}";

    private readonly record struct Entry(string Address, string Protocol, int Private, int Public)
    {
        internal bool Continues(Entry next)
            => next.Private == Private + 1
                && next.Public == (Public == 0 ? 0 : Public + 1)
                && string.Equals(Address, next.Address, StringComparison.Ordinal)
                && string.Equals(Protocol, next.Protocol, StringComparison.Ordinal);
    }
}
