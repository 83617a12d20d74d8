using System.Text;
using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Parsing;

/// <summary>Environment variables and labels, from options and from files of one per line.</summary>
internal static class VariableList
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>
    /// Variables of the files, then those of the options. A name alone takes its value from our own environment; an
    /// option with a name that is not set there is passed on and unsets the variable.
    /// </summary>
    internal static List<string> Environment(IEnumerable<string> files, IEnumerable<string> options, Func<string, string?> environment)
    {
        var variables = new List<string>();
        foreach (var file in files)
        {
            variables.AddRange(ReadFile(file, environment));
        }

        foreach (var option in options)
        {
            if (option.StartsWith('=') || option.Length == 0)
            {
                throw new UsageException("invalid environment variable: " + option);
            }

            variables.Add(!option.Contains('=', StringComparison.Ordinal) && environment(option) is { } value ? $"{option}={value}" : option);
        }

        return variables;
    }

    /// <summary>Labels of the files, overridden by those of the options.</summary>
    internal static Dictionary<string, string> Labels(IEnumerable<string> files, IEnumerable<string> options)
    {
        var lines = files.SelectMany(static file => ReadFile(file, static _ => null)).Concat(options);
        return Map(lines);
    }

    /// <summary><c>key=value</c> pairs; a key alone has an empty value, the last of equal keys counts.</summary>
    internal static Dictionary<string, string> Map(IEnumerable<string> pairs)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in pairs)
        {
            var equals = pair.IndexOf('=');
            map[equals < 0 ? pair : pair[..equals]] = equals < 0 ? "" : pair[(equals + 1)..];
        }

        return map;
    }

    private static List<string> ReadFile(string path, Func<string, string?> environment)
    {
        string text;
        try
        {
            text = Strict.GetString(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UsageException($"open {path}: no such file or directory");
        }
        catch (UnauthorizedAccessException)
        {
            throw new UsageException($"open {path}: {(Directory.Exists(path) ? "is a directory" : "permission denied")}");
        }
        catch (DecoderFallbackException)
        {
            throw new UsageException($"invalid env file ({path}): it is not UTF-8 text");
        }

        var variables = new List<string>();
        foreach (var raw in text.TrimStart('\uFEFF').Split('\n'))
        {
            var line = raw.TrimEnd('\r').TrimStart(' ', '\t');
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var equals = line.IndexOf('=');
            var name = equals < 0 ? line : line[..equals];
            if (name.AsSpan().IndexOfAny(" \t") >= 0)
            {
                throw new UsageException($"invalid env file ({path}): variable '{name}' contains whitespaces");
            }

            if (name.Length == 0)
            {
                throw new UsageException($"invalid env file ({path}): no variable name on line '{line}'");
            }

            if (equals >= 0)
            {
                variables.Add(line);
            }
            else if (environment(name) is { } value)
            {
                variables.Add($"{name}={value}");
            }
        }

        return variables;
    }
}
