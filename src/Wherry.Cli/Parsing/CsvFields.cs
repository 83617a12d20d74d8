using System.Text;

namespace Wherry.Cli.Parsing;

/// <summary>One line of comma-separated fields, any of which may be quoted: <c>type=bind,"src=/a,b",dst=/c</c>.</summary>
internal static class CsvFields
{
    internal static List<string> Split(string text)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var index = 0;
        while (true)
        {
            field.Clear();
            if (index < text.Length && text[index] == '"')
            {
                index = TakeQuoted(text, index + 1, field);
            }
            else
            {
                while (index < text.Length && text[index] != ',')
                {
                    field.Append(text[index++]);
                }
            }

            fields.Add(field.ToString());
            if (index >= text.Length)
            {
                return fields;
            }

            index++;
        }
    }

    private static int TakeQuoted(string text, int index, StringBuilder field)
    {
        while (index < text.Length)
        {
            if (text[index] != '"')
            {
                field.Append(text[index++]);
            }
            else if (index + 1 < text.Length && text[index + 1] == '"')
            {
                field.Append('"');
                index += 2;
            }
            else
            {
                index++;
                if (index < text.Length && text[index] != ',')
                {
                    throw new FormatException("parse error on line 1: extraneous or missing \" in quoted-field");
                }

                return index;
            }
        }

        throw new FormatException("parse error on line 1: extraneous or missing \" in quoted-field");
    }
}
