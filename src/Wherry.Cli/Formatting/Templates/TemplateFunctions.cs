using System.Globalization;
using System.Text;

namespace Wherry.Cli.Formatting.Templates;

/// <summary>The functions a template may call: those of Go's templates and of Docker's that people use in formats.</summary>
internal static class TemplateFunctions
{
    private static readonly string[] Names =
    [
        "and", "eq", "ge", "gt", "index", "join", "json", "le", "len", "lower", "lt", "ne", "not", "or", "pad",
        "print", "printf", "println", "slice", "split", "title", "truncate", "upper",
    ];

    internal static bool Exists(string name) => Array.IndexOf(Names, name) >= 0;

    internal static object? Call(string name, List<object?> arguments)
    {
        switch (name)
        {
            case "json":
                return TemplateValues.Json(One(name, arguments));
            case "len":
                return TemplateValues.Length(One(name, arguments));
            case "not":
                return !TemplateValues.Truth(One(name, arguments));
            case "upper":
                return String(name, arguments, 0, 1).ToUpperInvariant();
            case "lower":
                return String(name, arguments, 0, 1).ToLowerInvariant();
            case "title":
                return Title(String(name, arguments, 0, 1));
            case "split":
                return String(name, arguments, 0, 2).Split(String(name, arguments, 1, 2)).ToArray<object?>();
            case "join":
                Count(name, arguments, 2);
                var items = TemplateValues.List(arguments[0]);
                if (items is null && arguments[0] is not null)
                {
                    throw new TemplateException($"error calling join: wrong type for value; expected []string; got {TemplateValues.TypeName(arguments[0])}");
                }

                return string.Join(TemplateValues.Text(arguments[1]), (items ?? []).Select(TemplateValues.Text));
            case "pad":
                Count(name, arguments, 3);
                return new string(' ', (int)Whole(name, arguments[1])) + TemplateValues.Text(arguments[0]) + new string(' ', (int)Whole(name, arguments[2]));
            case "truncate":
                Count(name, arguments, 2);
                var text = TemplateValues.Text(arguments[0]);
                var length = (int)Whole(name, arguments[1]);
                return text.Length > length ? text[..length] : text;
            case "index":
                Least(name, arguments, 1);
                return arguments.Skip(1).Aggregate(arguments[0], TemplateValues.Index);
            case "slice":
                return Slice(arguments);
            case "and":
                Least(name, arguments, 1);
                return arguments.Find(static a => !TemplateValues.Truth(a)) is var none && arguments.Exists(static a => !TemplateValues.Truth(a)) ? none : arguments[^1];
            case "or":
                Least(name, arguments, 1);
                return arguments.Find(TemplateValues.Truth) ?? arguments[^1];
            case "print":
                return Concatenate(arguments, spaced: false);
            case "println":
                return Concatenate(arguments, spaced: true) + "\n";
            case "printf":
                return GoFormat.Format(String(name, arguments, 0, arguments.Count), arguments.GetRange(1, arguments.Count - 1));
            case "eq":
                Least(name, arguments, 2);
                return arguments.Skip(1).Any(other => Compare(name, arguments[0], other) == 0);
        }

        Count(name, arguments, 2);
        var order = Compare(name, arguments[0], arguments[1]);
        return name switch
        {
            "ne" => order != 0,
            "lt" => order < 0,
            "le" => order <= 0,
            "gt" => order > 0,
            _ => order >= 0,
        };
    }

    private static int Compare(string name, object? left, object? right)
    {
        return (left, right) switch
        {
            (null, null) => 0,
            (null, _) or (_, null) when name is "eq" or "ne" => 1,
            (string a, string b) => string.CompareOrdinal(a, b),
            (bool a, bool b) when name is "eq" or "ne" => a == b ? 0 : 1,
            (long a, long b) => a.CompareTo(b),
            (double or long, double or long) => Convert.ToDouble(left, CultureInfo.InvariantCulture).CompareTo(Convert.ToDouble(right, CultureInfo.InvariantCulture)),
            _ => throw new TemplateException($"error calling {name}: incompatible types for comparison"),
        };
    }

    private static object? Slice(List<object?> arguments)
    {
        Least("slice", arguments, 1);
        var from = arguments.Count > 1 ? Whole("slice", arguments[1]) : 0;
        if (arguments[0] is string text)
        {
            var end = arguments.Count > 2 ? Whole("slice", arguments[2]) : text.Length;
            return from >= 0 && from <= end && end <= text.Length
                ? text[(int)from..(int)end]
                : throw new TemplateException($"error calling slice: index out of range: {end}");
        }

        var list = TemplateValues.List(arguments[0]) ?? throw new TemplateException($"error calling slice: can't slice item of type {TemplateValues.TypeName(arguments[0])}");
        var last = arguments.Count > 2 ? Whole("slice", arguments[2]) : list.Count;
        return from >= 0 && from <= last && last <= list.Count
            ? list.Skip((int)from).Take((int)(last - from)).ToArray()
            : throw new TemplateException($"error calling slice: index out of range: {last}");
    }

    private static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        var start = true;
        foreach (var c in text)
        {
            result.Append(start ? char.ToUpperInvariant(c) : c);
            start = !char.IsLetterOrDigit(c) && c is not ('_' or '\'');
        }

        return result.ToString();
    }

    /// <summary>As Go's <c>Sprint</c>: a space between two values neither of which is a string; <c>Sprintln</c>: always.</summary>
    private static string Concatenate(List<object?> arguments, bool spaced)
    {
        var text = new StringBuilder();
        for (var i = 0; i < arguments.Count; i++)
        {
            if (i > 0 && (spaced || (arguments[i] is not string && arguments[i - 1] is not string)))
            {
                text.Append(' ');
            }

            text.Append(arguments[i] is null ? "<nil>" : TemplateValues.Print(arguments[i]));
        }

        return text.ToString();
    }

    private static object? One(string name, List<object?> arguments)
    {
        Count(name, arguments, 1);
        return arguments[0];
    }

    private static string String(string name, List<object?> arguments, int index, int count)
    {
        Count(name, arguments, count);
        return arguments.Count > index && arguments[index] is string text
            ? text
            : throw new TemplateException($"wrong type for value; expected string; got {TemplateValues.TypeName(arguments.ElementAtOrDefault(index))}");
    }

    private static long Whole(string name, object? value)
        => value is long number ? number : throw new TemplateException($"error calling {name}: expected a number; got {TemplateValues.TypeName(value)}");

    private static void Count(string name, List<object?> arguments, int count)
    {
        if (arguments.Count != count)
        {
            throw new TemplateException($"wrong number of args for {name}: want {count} got {arguments.Count}");
        }
    }

    private static void Least(string name, List<object?> arguments, int count)
    {
        if (arguments.Count < count)
        {
            throw new TemplateException($"wrong number of args for {name}: want at least {count} got {arguments.Count}");
        }
    }
}
