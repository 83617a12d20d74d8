using System.Globalization;
using System.Text;

namespace Wherry.Linux.DBus;

/// <summary>
/// Reads values as GLib writes them down (GVariant text format): <c>true</c>, <c>-1</c>, <c>uint64 90</c>, <c>'text'</c>,
/// <c>['a', 'b']</c>, <c>@as []</c>, <c>('x', 1)</c>. An array's first element says what the others are.
/// </summary>
public sealed class VariantText
{
    private const int Deepest = 16;
    private const int LongestSignature = 255;
    private const string Integers = "ynqiuxt";

    private readonly string _text;
    private int _at;

    private VariantText(string text) => _text = text;

    /// <exception cref="FormatException">It is no such text, or has a type that is not read; says what is wrong.</exception>
    public static Variant Parse(string text)
    {
        var reader = new VariantText(text);
        var value = reader.Read(null, 0);
        reader.SkipSpace();
        return reader._at < text.Length ? throw reader.Wrong("something follows the value")
            : value.Signature.Length > LongestSignature ? throw reader.Wrong("a structure has too many members")
            : value;
    }

    /// <param name="type">What it has to be; null where the text says it.</param>
    /// <param name="depth">In how many others it lies.</param>
    private Variant Read(string? type, int depth)
    {
        SkipSpace();
        if (depth > Deepest)
        {
            throw Wrong("values are nested too deeply");
        }

        return Peek() switch
        {
            '@' => ReadTyped(type, depth),
            '\'' or '"' => new Variant(Require(type, "s", "s"), ReadString()),
            '[' => ReadArray(type, depth),
            '(' => ReadStructure(type, depth),
            >= '0' and <= '9' or '-' or '+' or '.' => ReadNumber(type),
            >= 'a' and <= 'z' => ReadKeyword(type, depth),
            _ => throw Wrong("a value is missing"),
        };
    }

    private Variant ReadTyped(string? type, int depth)
    {
        _at++;
        var start = _at;
        while (Peek() is not ('\0' or ' ' or '[' or '\'' or '"'))
        {
            _at++;
        }

        var said = _text[start.._at];
        var end = 0;
        return said.Length <= LongestSignature && TakeType(said, ref end).Length == said.Length ? Read(Same(type, said), depth + 1) : throw Wrong($"\"{said}\" is no type");
    }

    private Variant ReadKeyword(string? type, int depth)
    {
        var start = _at;
        while (char.IsAsciiLetterOrDigit(Peek()))
        {
            _at++;
        }

        var word = _text[start.._at];
        return word switch
        {
            "true" or "false" => new Variant(Require(type, "b", "b"), word == "true"),
            _ => Read(Same(type, TypeOf(word)), depth + 1),
        };
    }

    private string TypeOf(string word) => word switch
    {
        "boolean" => "b",
        "byte" => "y",
        "int16" => "n",
        "uint16" => "q",
        "int32" => "i",
        "uint32" => "u",
        "int64" => "x",
        "uint64" => "t",
        "double" => "d",
        "string" => "s",
        _ => throw Wrong($"\"{word}\" is neither a value nor a type that is read"),
    };

    private Variant ReadNumber(string? type)
    {
        var start = _at;
        while (char.IsAsciiLetterOrDigit(Peek()) || Peek() is '-' or '+' or '.')
        {
            _at++;
        }

        var word = _text[start.._at];
        var isHex = word.TrimStart('-', '+').StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var isReal = !isHex && word.AsSpan().IndexOfAny('.', 'e', 'E') >= 0;
        var number = Require(type, isReal ? "d" : "i", isReal ? "d" : Integers + "d");
        if (number == "d")
        {
            return double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? new Variant(number, real) : throw Wrong($"\"{word}\" is no number");
        }

        var isNegative = word[0] == '-';
        var digits = word.TrimStart('-', '+');
        var isRead = isHex
            ? ulong.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size)
            : ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out size);
        if (!isRead || digits.Length + 1 < word.Length)
        {
            throw Wrong($"\"{word}\" is no number");
        }

        var (lowest, highest) = Range(number[0]);
        return size > (isNegative ? lowest : highest)
            ? throw Wrong($"{word} is out of the range of the type \"{number}\"")
            : new Variant(number, isNegative ? unchecked((ulong)-(long)size) : size);
    }

    // How far below zero, and how far above it.
    private static (ulong Lowest, ulong Highest) Range(char type) => type switch
    {
        'n' => (1UL << 15, (1UL << 15) - 1),
        'i' => (1UL << 31, (1UL << 31) - 1),
        'x' => (1UL << 63, (1UL << 63) - 1),
        'y' => (0, byte.MaxValue),
        'q' => (0, ushort.MaxValue),
        'u' => (0, uint.MaxValue),
        _ => (0, ulong.MaxValue),
    };

    private string ReadString()
    {
        var quote = Peek();
        var text = new StringBuilder();
        for (_at++; Peek() != quote; _at++)
        {
            if (Peek() == '\0')
            {
                throw Wrong("a text does not end");
            }

            text.Append(Peek() == '\\' ? ReadEscape() : Peek());
        }

        _at++;
        return text.ToString();
    }

    private char ReadEscape()
    {
        _at++;
        switch (Peek())
        {
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'u' when _at + 4 < _text.Length && ushort.TryParse(_text.AsSpan(_at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) && code != 0:
                _at += 4;
                return (char)code;
            case '\'' or '"' or '\\':
                return Peek();
            default:
                throw Wrong("an escape in a text is not one that is read");
        }
    }

    private Variant ReadArray(string? type, int depth)
    {
        if (type is not null && type[0] != 'a')
        {
            throw Wrong($"an array stands where \"{type}\" is expected");
        }

        var elements = ReadList(']', before => type?[1..] ?? before.FirstOrDefault()?.Signature, depth);
        return elements.Length == 0 && type is null
            ? throw Wrong("of an empty array the type has to be said, as in \"@as []\"")
            : new Variant(type ?? "a" + elements[0].Signature, elements);
    }

    private Variant ReadStructure(string? type, int depth)
    {
        if (type is not null && type[0] != '(')
        {
            throw Wrong($"a structure stands where \"{type}\" is expected");
        }

        var at = 1;
        var members = ReadList(')', _ => type is null ? null : at < type.Length - 1 ? TakeType(type, ref at) : throw Wrong($"there are more members than in \"{type}\""), depth);
        return members.Length == 0 || (type is not null && at < type.Length - 1)
            ? throw Wrong("a structure lacks members")
            : new Variant(type ?? $"({string.Concat(members.Select(member => member.Signature))})", members);
    }

    private Variant[] ReadList(char end, Func<List<Variant>, string?> typeAfter, int depth)
    {
        var values = new List<Variant>();
        _at++;
        for (SkipSpace(); Peek() != end; SkipSpace())
        {
            values.Add(Read(typeAfter(values), depth + 1));
            SkipSpace();
            if (Peek() == ',')
            {
                _at++;
            }
            else if (Peek() != end)
            {
                throw Wrong($"a comma or \"{end}\" is missing");
            }
        }

        _at++;
        return [.. values];
    }

    // One complete type.
    private string TakeType(string signature, ref int at)
    {
        var start = at;
        switch (at < signature.Length ? signature[at++] : '\0')
        {
            case 'b' or 's' or 'd' or 'y' or 'n' or 'q' or 'i' or 'u' or 'x' or 't':
                break;
            case 'a':
                TakeType(signature, ref at);
                break;
            case '(':
                do
                {
                    TakeType(signature, ref at);
                }
                while (at < signature.Length && signature[at] != ')');

                at++;
                break;
            default:
                throw Wrong($"\"{signature}\" is not a type that is read");
        }

        return at <= signature.Length ? signature[start..at] : throw Wrong($"\"{signature}\" is no type");
    }

    private string Require(string? type, string usual, string possible) =>
        type is null ? usual : type.Length == 1 && possible.Contains(type[0]) ? type : throw Wrong($"the value is not of the type \"{type}\"");

    private string Same(string? type, string said) => type is null || type == said ? said : throw Wrong($"\"{said}\" stands where \"{type}\" is expected");

    private void SkipSpace()
    {
        while (Peek() is ' ' or '\t' or '\n')
        {
            _at++;
        }
    }

    // A zero at the end; there is none in a text of systemd's.
    private char Peek() => _at < _text.Length ? _text[_at] : '\0';

    private FormatException Wrong(string what) => new($"{what}, at character {_at + 1}");
}
