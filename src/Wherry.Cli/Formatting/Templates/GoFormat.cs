using System.Globalization;
using System.Text;

namespace Wherry.Cli.Formatting.Templates;

/// <summary>Go's <c>Printf</c> with the verbs formats use: v s d q x t f, with width, precision, <c>-</c> and <c>0</c>.</summary>
internal static class GoFormat
{
    internal static string Format(string format, List<object?> arguments)
    {
        var text = new StringBuilder();
        var next = 0;
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                text.Append(format[at]);
                continue;
            }

            at++;
            if (format[at] == '%')
            {
                text.Append('%');
                continue;
            }

            var left = false;
            var zero = false;
            for (; at < format.Length && format[at] is '-' or '0' or '+' or ' ' or '#'; at++)
            {
                left |= format[at] == '-';
                zero |= format[at] == '0';
            }

            var width = Number(format, ref at);
            var precision = -1;
            if (at < format.Length && format[at] == '.')
            {
                at++;
                precision = Number(format, ref at);
            }

            if (at == format.Length)
            {
                text.Append("%!(NOVERB)");
                break;
            }

            if (next == arguments.Count)
            {
                text.Append("%!").Append(format[at]).Append("(MISSING)");
                continue;
            }

            var value = Verb(format[at], arguments[next++], precision);
            text.Append(left ? value.PadRight(width) : value.PadLeft(width, zero ? '0' : ' '));
        }

        if (next < arguments.Count)
        {
            text.Append("%!(EXTRA ").AppendJoin(", ", arguments.Skip(next).Select(static a => $"{TemplateValues.TypeName(a)}={TemplateValues.Text(a)}")).Append(')');
        }

        return text.ToString();
    }

    private static string Verb(char verb, object? value, int precision)
    {
        switch (verb)
        {
            case 'v' or 's':
                var text = value is null ? "<nil>" : TemplateValues.Print(value);
                return precision >= 0 && precision < text.Length ? text[..precision] : text;
            case 'q':
                return TemplateValues.Json(TemplateValues.Text(value));
            case 'd' when value is long:
                return TemplateValues.Text(value);
            case 'x' when value is long number:
                return number.ToString("x", CultureInfo.InvariantCulture);
            case 'x' when value is string bytes:
                return Convert.ToHexStringLower(Encoding.UTF8.GetBytes(bytes));
            case 't' when value is bool:
                return TemplateValues.Text(value);
            case 'f' when value is double or long:
                return Convert.ToDouble(value, CultureInfo.InvariantCulture).ToString("F" + (precision < 0 ? 6 : precision).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            default:
                return $"%!{verb}({TemplateValues.TypeName(value)}={TemplateValues.Text(value)})";
        }
    }

    private static int Number(string format, ref int at)
    {
        var number = 0;
        for (; at < format.Length && char.IsAsciiDigit(format[at]); at++)
        {
            number = Math.Min((number * 10) + (format[at] - '0'), 1000);
        }

        return number;
    }
}
