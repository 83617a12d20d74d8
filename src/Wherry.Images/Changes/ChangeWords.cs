using System.Text;
using Wherry.Errors;

namespace Wherry.Images.Changes;

/// <summary>Splits a Dockerfile line's argument into words: quotes, backslashes, and variables from the environment so far.</summary>
internal sealed class ChangeWords(IReadOnlyList<string> env)
{
    /// <summary>All words, expanded.</summary>
    internal IReadOnlyList<string> Words(string text) => [.. Split(text).Select(Expand)];

    /// <summary>The whole text as one word.</summary>
    internal string Single(string text) => Expand(text);

    /// <summary><c>key=value …</c>, or the old <c>key value</c> where all after the first blank is the value.</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> Pairs(string text, string instruction)
    {
        var words = Split(text);
        if (!words[0].Contains('='))
        {
            var blank = text.AsSpan().IndexOfAny(' ', '\t');
            if (blank < 0)
                throw WherryException.Invalid($"{instruction} must have two arguments");
            return [new(Expand(text[..blank]), Expand(text[blank..].Trim()))];
        }
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var word in words)
        {
            var equals = word.IndexOf('=');
            if (equals < 0)
                throw WherryException.Invalid($"Syntax error - can't find = in \"{word}\". Must be of the form: name=value");
            var key = Expand(word[..equals]);
            pairs.Add(key.Length == 0 ? throw WherryException.Invalid($"{instruction} names can not be blank") : new(key, Expand(word[(equals + 1)..])));
        }
        return pairs;
    }

    /// <summary>At blanks outside quotes; quotes and backslashes stay for <see cref="Expand"/>.</summary>
    private static List<string> Split(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var quote = '\0';
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quote == '\0' && c is ' ' or '\t')
            {
                if (word.Length > 0)
                    words.Add(word.ToString());
                word.Clear();
                continue;
            }
            word.Append(c);
            if (c == '\\' && quote != '\'' && i + 1 < text.Length)
                word.Append(text[++i]);
            else if (c is '"' or '\'')
                quote = quote == '\0' ? c : quote == c ? '\0' : quote;
        }
        if (word.Length > 0)
            words.Add(word.ToString());
        return words;
    }

    private string Expand(string text)
    {
        var result = new StringBuilder();
        var quote = '\0';
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\\' && quote != '\'' && i + 1 < text.Length)
            {
                // Between double quotes a backslash only guards what would mean something there.
                if (quote == '"' && text[i + 1] is not ('"' or '$' or '\\'))
                    result.Append(c);
                result.Append(text[++i]);
            }
            else if (c is '"' or '\'' && (quote == '\0' || quote == c))
            {
                quote = quote == '\0' ? c : '\0';
            }
            else if (c == '$' && quote != '\'')
            {
                i = ExpandVariable(text, i, result);
            }
            else
            {
                result.Append(c);
            }
        }
        return quote == '\0' ? result.ToString() : throw WherryException.Invalid($"unexpected end of statement while looking for matching {(quote == '"' ? "double" : "single")}-quote");
    }

    /// <summary>Appends the value of the variable at <paramref name="at"/>, a dollar sign, and returns the place of its last character.</summary>
    private int ExpandVariable(string text, int at, StringBuilder result)
    {
        if (at + 1 < text.Length && text[at + 1] == '{')
        {
            var end = text.IndexOf('}', at);
            if (end < 0)
                throw WherryException.Invalid("syntax error: missing '}'");
            var inside = text[(at + 2)..end];
            var colon = inside.IndexOf(':');
            var value = Lookup(colon < 0 ? inside : inside[..colon]);
            if (colon >= 0)
            {
                var modifier = inside.AsSpan(colon + 1);
                if (modifier.Length == 0 || modifier[0] is not ('-' or '+'))
                    throw WherryException.Invalid($"unsupported modifier in substitution: ${{{inside}}}");
                var word = modifier[1..].ToString();
                value = modifier[0] == '-' ? (value.Length > 0 ? value : Expand(word)) : (value.Length > 0 ? Expand(word) : "");
            }
            result.Append(value);
            return end;
        }
        var length = 0;
        while (at + 1 + length < text.Length && (char.IsAsciiLetterOrDigit(text[at + 1 + length]) || text[at + 1 + length] == '_'))
            length++;
        result.Append(length == 0 ? "$" : Lookup(text.Substring(at + 1, length)));
        return at + length;
    }

    private string Lookup(string name)
    {
        var entry = env.LastOrDefault(entry => entry.StartsWith(name + "=", StringComparison.Ordinal));
        return entry is null ? "" : entry[(name.Length + 1)..];
    }
}
