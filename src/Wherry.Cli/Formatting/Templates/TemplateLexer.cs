using System.Globalization;
using System.Text;

namespace Wherry.Cli.Formatting.Templates;

internal enum TokenKind
{
    Text,
    Open,
    Close,
    Field,
    Dot,
    Variable,
    Identifier,
    String,
    Number,
    Pipe,
    LeftParenthesis,
    RightParenthesis,
    Declare,
    Assign,
    Comma,
    End,
}

/// <summary>A token. Adjacent tells whether it follows its predecessor without a space: <c>$x.Name</c> against <c>$x .Name</c>.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, bool Adjacent, object? Value = null);

/// <summary>Splits a template into text and the tokens of its actions, trimming white space where <c>{{-</c> and <c>-}}</c> ask for it.</summary>
internal sealed class TemplateLexer(string source)
{
    private readonly List<Token> _tokens = [];
    private int _at;

    internal List<Token> Run()
    {
        var trimNext = false;
        while (true)
        {
            var open = source.IndexOf("{{", _at, StringComparison.Ordinal);
            var text = open < 0 ? source[_at..] : source[_at..open];
            if (trimNext)
            {
                text = text.TrimStart();
            }

            if (open < 0)
            {
                AddText(text);
                _tokens.Add(new Token(TokenKind.End, "", false));
                return _tokens;
            }

            _at = open + 2;
            if (_at + 1 < source.Length && source[_at] == '-' && char.IsWhiteSpace(source[_at + 1]))
            {
                text = text.TrimEnd();
                _at++;
            }

            AddText(text);
            trimNext = LexAction();
        }
    }

    /// <summary>Reads up to and including the closing braces; true where they trim the text that follows.</summary>
    private bool LexAction()
    {
        if (SkipComment() is { } trimAfterComment)
        {
            return trimAfterComment;
        }

        _tokens.Add(new Token(TokenKind.Open, "{{", false));
        var adjacent = false;
        while (true)
        {
            if (_at >= source.Length)
            {
                throw new TemplateException("unclosed action");
            }

            var c = source[_at];
            if (char.IsWhiteSpace(c))
            {
                if (source.AsSpan(_at + 1).StartsWith("-}}"))
                {
                    _at += 4;
                    _tokens.Add(new Token(TokenKind.Close, "}}", false));
                    return true;
                }

                _at++;
                adjacent = false;
                continue;
            }

            if (source.AsSpan(_at).StartsWith("}}"))
            {
                _at += 2;
                _tokens.Add(new Token(TokenKind.Close, "}}", false));
                return false;
            }

            _tokens.Add(LexToken(c, adjacent));
            adjacent = true;
        }
    }

    private bool? SkipComment()
    {
        var rest = source.AsSpan(_at).TrimStart();
        if (!rest.StartsWith("/*"))
        {
            return null;
        }

        var end = source.IndexOf("*/", _at, StringComparison.Ordinal);
        var close = end < 0 ? -1 : source.IndexOf("}}", end, StringComparison.Ordinal);
        if (close < 0)
        {
            throw new TemplateException("unclosed comment");
        }

        _at = close + 2;
        return source[close - 1] == '-';
    }

    private Token LexToken(char c, bool adjacent)
    {
        switch (c)
        {
            case '|':
                return Single(TokenKind.Pipe, adjacent);
            case '(':
                return Single(TokenKind.LeftParenthesis, adjacent);
            case ')':
                return Single(TokenKind.RightParenthesis, adjacent);
            case ',':
                return Single(TokenKind.Comma, adjacent);
            case '=':
                return Single(TokenKind.Assign, adjacent);
            case ':' when _at + 1 < source.Length && source[_at + 1] == '=':
                _at += 2;
                return new Token(TokenKind.Declare, ":=", adjacent);
            case '"':
                return LexQuoted(adjacent);
            case '`':
                var close = source.IndexOf('`', _at + 1);
                var raw = close < 0 ? throw new TemplateException("unterminated raw quoted string") : source[(_at + 1)..close];
                _at = close + 1;
                return new Token(TokenKind.String, raw, adjacent);
            case '\'':
                return LexCharacter(adjacent);
            case '.':
                var name = Word(_at + 1);
                _at += 1 + name.Length;
                return name.Length == 0 ? new Token(TokenKind.Dot, ".", adjacent) : new Token(TokenKind.Field, name, adjacent);
            case '$':
                var variable = "$" + Word(_at + 1);
                _at += variable.Length;
                return new Token(TokenKind.Variable, variable, adjacent);
        }

        if (char.IsAsciiDigit(c) || (c is '-' or '+' && _at + 1 < source.Length && char.IsAsciiDigit(source[_at + 1])))
        {
            return LexNumber(adjacent);
        }

        var word = Word(_at);
        if (word.Length == 0)
        {
            throw new TemplateException($"unexpected \"{c}\" in operand");
        }

        _at += word.Length;
        return new Token(TokenKind.Identifier, word, adjacent);
    }

    private Token Single(TokenKind kind, bool adjacent) => new(kind, source[_at++].ToString(), adjacent);

    private Token LexNumber(bool adjacent)
    {
        var end = _at + 1;
        while (end < source.Length && (char.IsAsciiLetterOrDigit(source[end]) || source[end] == '.'))
        {
            end++;
        }

        var text = source[_at..end];
        _at = end;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            return new Token(TokenKind.Number, text, adjacent, whole);
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real)
            ? new Token(TokenKind.Number, text, adjacent, real)
            : throw new TemplateException($"bad number syntax: \"{text}\"");
    }

    private Token LexCharacter(bool adjacent)
    {
        var close = source.IndexOf('\'', _at + 1);
        if (close != _at + 2)
        {
            throw new TemplateException("malformed character constant");
        }

        long value = source[_at + 1];
        _at = close + 1;
        return new Token(TokenKind.Number, value.ToString(CultureInfo.InvariantCulture), adjacent, value);
    }

    private Token LexQuoted(bool adjacent)
    {
        var text = new StringBuilder();
        for (var at = _at + 1; at < source.Length; at++)
        {
            var c = source[at];
            if (c == '"')
            {
                _at = at + 1;
                return new Token(TokenKind.String, text.ToString(), adjacent);
            }

            if (c == '\\' && at + 1 < source.Length)
            {
                at++;
                text.Append(source[at] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', var other => other });
                continue;
            }

            text.Append(c);
        }

        throw new TemplateException("unterminated quoted string");
    }

    private string Word(int start)
    {
        var end = start;
        while (end < source.Length && (char.IsLetterOrDigit(source[end]) || source[end] == '_'))
        {
            end++;
        }

        return source[start..end];
    }

    private void AddText(string text)
    {
        if (text.Length > 0)
        {
            _tokens.Add(new Token(TokenKind.Text, text, false));
        }
    }
}
