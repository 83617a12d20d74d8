using System.Globalization;
using Wherry.Errors;

namespace Wherry.Shim.Oci.CommandLine;

/// <summary>A command's words, read.</summary>
public sealed class ParsedOptions
{
    private readonly List<(string Name, string Value)> _options = [];
    private readonly List<string> _operands = [];

    public IReadOnlyList<string> Operands => _operands;

    public bool Has(string name) => _options.Exists(option => option.Name == name);

    /// <summary>A switch; given as <c>--name=false</c> it is off.</summary>
    public bool IsOn(string name) => Text(name) switch
    {
        null or "false" or "0" or "f" or "F" or "FALSE" or "False" => false,
        "true" or "1" or "t" or "T" or "TRUE" or "True" => true,
        var other => throw WherryException.Invalid($"invalid boolean value \"{other}\" for -{name}"),
    };

    /// <summary>The value given last; null when none was.</summary>
    public string? Text(string name) => _options.FindLast(option => option.Name == name).Value;

    public IReadOnlyList<string> Texts(string name) => [.. _options.Where(option => option.Name == name).Select(option => option.Value)];

    /// <summary>A whole number; null when none was given.</summary>
    public long? Number(string name) => Text(name) is not { } text
        ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw WherryException.Invalid($"invalid value \"{text}\" for flag -{name}: not a whole number");

    /// <exception cref="UsageException">There are more or fewer operands.</exception>
    public void RequireOperands(string command, int count)
    {
        if (_operands.Count != count)
        {
            throw Needs(command, "exactly", count);
        }
    }

    /// <exception cref="UsageException">There are more or fewer operands.</exception>
    public void RequireOperands(string command, int least, int most)
    {
        if (_operands.Count < least)
        {
            throw Needs(command, "a minimum of", least);
        }

        if (_operands.Count > most)
        {
            throw Needs(command, "a maximum of", most);
        }
    }

    /// <summary>The one operand of a command that takes a container's id and nothing else.</summary>
    public string RequireId(string command)
    {
        RequireOperands(command, 1);
        return _operands[0];
    }

    internal void Set(string name, string value, bool repeats)
    {
        if (!repeats)
        {
            _options.RemoveAll(option => option.Name == name);
        }

        _options.Add((name, value));
    }

    internal void AddOperands(ReadOnlySpan<string> words) => _operands.AddRange(words);

    private static UsageException Needs(string command, string bound, int count) =>
        new($"{OciCommandLine.ProgramName}: \"{command}\" requires {bound} {count} argument(s)");
}
