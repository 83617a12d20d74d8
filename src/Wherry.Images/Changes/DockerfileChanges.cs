using System.Text.Json;
using Wherry.Errors;
using Wherry.Oci.Images;

namespace Wherry.Images.Changes;

/// <summary>Dockerfile lines that change an image's configuration: <c>--change</c> of import and commit.</summary>
public static partial class DockerfileChanges
{
    private static readonly string[] Shell = ["/bin/sh", "-c"];

    /// <summary>The parameters after the lines, in order.</summary>
    public static ExecutionParameters Apply(ExecutionParameters parameters, IReadOnlyList<string> changes)
    {
        var commandGiven = false;
        foreach (var change in changes)
        {
            var line = change.Trim().Replace("\\\n", " ", StringComparison.Ordinal);
            if (line.Length == 0)
                continue;
            var space = line.AsSpan().IndexOfAny(' ', '\t');
            var instruction = (space < 0 ? line : line[..space]).ToUpperInvariant();
            var argument = space < 0 ? "" : line[(space + 1)..].Trim();
            if (argument.Length == 0)
                throw WherryException.Invalid($"{instruction} requires at least one argument");
            parameters = ApplyOne(parameters, instruction, argument, ref commandGiven);
        }
        return parameters;
    }

    private static ExecutionParameters ApplyOne(ExecutionParameters parameters, string instruction, string argument, ref bool commandGiven)
    {
        var words = new ChangeWords(parameters.Env ?? []);
        switch (instruction)
        {
            case "CMD":
                commandGiven = true;
                return parameters with { Cmd = Command(parameters, argument), ArgsEscaped = null };
            case "ENTRYPOINT":
                // An entrypoint of its own does not go with a command meant for another.
                return parameters with { Entrypoint = Command(parameters, argument), Cmd = commandGiven ? parameters.Cmd : null };
            case "ENV":
                return parameters with { Env = MergeEnv(parameters.Env ?? [], words.Pairs(argument, "ENV")) };
            case "LABEL":
                var labels = new SortedDictionary<string, string>((parameters.Labels ?? new Dictionary<string, string>(StringComparer.Ordinal)).ToDictionary(), StringComparer.Ordinal);
                foreach (var (key, value) in words.Pairs(argument, "LABEL"))
                    labels[key] = value;
                return parameters with { Labels = labels };
            case "EXPOSE":
                return parameters with { ExposedPorts = Add(parameters.ExposedPorts, words.Words(argument).SelectMany(Ports)) };
            case "VOLUME":
                return parameters with { Volumes = Add(parameters.Volumes, Volumes(argument, words)) };
            case "USER":
                return parameters with { User = words.Single(argument) };
            case "WORKDIR":
                return parameters with { WorkingDir = Combine(parameters.WorkingDir, words.Single(argument)) };
            case "STOPSIGNAL":
                return parameters with { StopSignal = StopSignal(words.Single(argument)) };
            case "ONBUILD":
                return parameters with { OnBuild = [.. parameters.OnBuild ?? [], OnBuild(argument)] };
            case "HEALTHCHECK":
                return parameters with { Healthcheck = ParseHealthcheck(argument) };
            default:
                throw WherryException.Invalid($"{instruction} is not a valid change command");
        }
    }

    /// <summary>The JSON form as it is, anything else for the shell.</summary>
    private static IReadOnlyList<string> Command(ExecutionParameters parameters, string argument) =>
        TryParseArray(argument) ?? [.. parameters.Shell ?? Shell, argument];

    private static string[]? TryParseArray(string argument)
    {
        if (argument[0] != '[')
            return null;
        try
        {
            using var document = JsonDocument.Parse(argument);
            return document.RootElement.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
                ? [.. document.RootElement.EnumerateArray().Select(item => item.GetString()!)]
                : null;
        }
        catch (JsonException)
        {
            return null; // Docker takes a broken array for a shell command, too
        }
    }

    private static List<string> MergeEnv(IReadOnlyList<string> env, IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var merged = env.ToList();
        foreach (var (key, value) in pairs)
        {
            var at = merged.FindIndex(entry => entry.StartsWith(key + "=", StringComparison.Ordinal));
            if (at >= 0)
                merged[at] = $"{key}={value}";
            else
                merged.Add($"{key}={value}");
        }
        return merged;
    }

    private static SortedDictionary<string, EmptyObject> Add(IReadOnlyDictionary<string, EmptyObject>? existing, IEnumerable<string> keys)
    {
        var all = new SortedDictionary<string, EmptyObject>(StringComparer.Ordinal);
        foreach (var key in (existing?.Keys ?? []).Concat(keys))
            all[key] = EmptyObject.Value;
        return all;
    }

    private static IEnumerable<string> Ports(string text)
    {
        var slash = text.IndexOf('/');
        var protocol = slash < 0 ? "tcp" : text[(slash + 1)..].ToLowerInvariant();
        var range = (slash < 0 ? text : text[..slash]).Split('-');
        if (protocol is not ("tcp" or "udp" or "sctp"))
            throw WherryException.Invalid($"invalid proto: {protocol}");
        if (range.Length > 2 || !ushort.TryParse(range[0], out var first) || !ushort.TryParse(range[^1], out var last) || first == 0 || last < first)
            throw WherryException.Invalid($"invalid containerPort: {text}");
        for (int port = first; port <= last; port++)
            yield return $"{port}/{protocol}";
    }

    private static IReadOnlyList<string> Volumes(string argument, ChangeWords words)
    {
        var volumes = TryParseArray(argument) ?? words.Words(argument);
        return volumes.Any(volume => volume.Trim().Length == 0) ? throw WherryException.Invalid("VOLUME specified can not be an empty string") : volumes;
    }

    private static string Combine(string? current, string path)
    {
        var whole = path.StartsWith('/') ? path : $"{(string.IsNullOrEmpty(current) ? "/" : current)}/{path}";
        return Path.GetFullPath(whole);
    }

    private static string StopSignal(string signal) =>
        signal.All(char.IsAsciiDigit) || signal.All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-')
            ? signal
            : throw WherryException.Invalid($"invalid signal: {signal}");

    private static string OnBuild(string trigger)
    {
        var instruction = trigger.Split([' ', '\t'], 2)[0].ToUpperInvariant();
        return instruction switch
        {
            "ONBUILD" => throw WherryException.Invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
            "MAINTAINER" or "FROM" => throw WherryException.Invalid($"{instruction} isn't allowed as an ONBUILD trigger"),
            _ => trigger,
        };
    }
}
