using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Cleaning;

/// <summary>The requests behind all prune commands, and how their answers are told.</summary>
internal static class Pruning
{
    /// <summary>Asks before anything is removed; no answer is no.</summary>
    internal static bool Confirm(Invocation invocation, string warning)
    {
        var streams = invocation.Context.Streams;
        streams.Text.Write($"WARNING! {warning}\nAre you sure you want to continue? [y/N] ");
        streams.Text.Flush();
        using var input = new StreamReader(streams.Input, leaveOpen: true);
        return input.ReadLine()?.Trim() is "y" or "Y";
    }

    /// <summary>Removes objects of one kind.</summary>
    /// <param name="invocation">The command's.</param>
    /// <param name="kind"><c>containers</c>, <c>volumes</c>, <c>images</c>, <c>networks</c>.</param>
    /// <param name="filters">As the engine takes them.</param>
    /// <param name="title">Printed above the removed ones.</param>
    /// <param name="member">Where the answer lists them.</param>
    /// <returns>Bytes freed.</returns>
    internal static long Run(Invocation invocation, string kind, IEnumerable<(string Name, string Value)> filters, string title, string member)
    {
        using var response = invocation.Engine.Send("POST", new Query($"/{kind}/prune").Add("filters", FilterSpec.Compose(filters)));
        using var document = response.ReadJson();
        var lines = document.RootElement.Items(member).Select(item => item.ValueKind == System.Text.Json.JsonValueKind.String
            ? item.GetString()!
            : item.Text("Untagged") is { Length: > 0 } untagged ? $"untagged: {untagged}" : $"deleted: {item.Text("Deleted")}").ToList();
        if (lines.Count > 0)
        {
            invocation.Out.WriteLine(title);
            lines.ForEach(invocation.Out.WriteLine);
            invocation.Out.WriteLine();
        }

        return document.RootElement.Number("SpaceReclaimed");
    }

    internal static int Total(Invocation invocation, long bytes)
    {
        invocation.Out.WriteLine($"Total reclaimed space: {Units.Size(bytes)}");
        return 0;
    }
}
