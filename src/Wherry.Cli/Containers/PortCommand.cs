using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;
using Wherry.Cli.Formatting;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Containers;

/// <summary><c>wherry port</c>.</summary>
internal sealed class PortCommand() : CliCommand("CONTAINER [PRIVATE_PORT[/PROTO]]", 1, 2)
{
    internal override Completion.CompletionSource Completes => Completion.CompletionSource.Containers;

    internal override int Run(Invocation invocation)
    {
        using var document = invocation.Engine.Get($"/containers/{Query.Segment(invocation.Arguments[0])}/json");
        var wanted = invocation.Arguments.Length > 1 ? Wanted(invocation.Arguments[1]) : null;
        var lines = new List<string>();
        foreach (var port in document.RootElement.Members("NetworkSettings", "Ports").OrderBy(static p => PortNumber(p.Name)).ThenBy(static p => p.Name, StringComparer.Ordinal))
        {
            if (wanted is not null && !string.Equals(port.Name, wanted, StringComparison.Ordinal))
            {
                continue;
            }

            foreach (var binding in port.Value.Items())
            {
                var address = binding.Text("HostIp");
                var host = address.Contains(':', StringComparison.Ordinal) ? $"[{address}]:{binding.Text("HostPort")}" : $"{address}:{binding.Text("HostPort")}";
                lines.Add(wanted is null ? $"{port.Name} -> {host}" : host);
            }
        }

        if (wanted is not null && lines.Count == 0)
        {
            throw new CliException($"no public port '{invocation.Arguments[1]}' published for {invocation.Arguments[0]}")
            {
                Hint = $"'wherry port {invocation.Arguments[0]}' lists what is published.",
            };
        }

        lines.ForEach(invocation.Out.WriteLine);
        return 0;
    }

    private static string Wanted(string text)
    {
        var slash = text.IndexOf('/');
        var port = slash < 0 ? text : text[..slash];
        return Numbers.TryPort(port, out _)
            ? $"{port}/{(slash < 0 ? "tcp" : text[(slash + 1)..])}"
            : throw new CliException($"invalid port '{text}': it must be PORT or PORT/PROTO");
    }

    private static int PortNumber(string name) => int.TryParse(name.AsSpan(0, Math.Max(0, name.IndexOf('/'))), out var port) ? port : 0;
}
