using System.Text.Json;
using Wherry.Cli.Formatting.Templates;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Formatting;

/// <summary>A field of the rows of a list: its name in templates, its header in tables, its value for one row.</summary>
internal sealed record Column(string Name, string Header, Func<JsonElement, object?> Value, bool Flexible = false);

/// <summary>
/// A list of objects as a table, as JSON lines or by a template. Without a format it prints the default columns and
/// never touches the template engine.
/// </summary>
internal sealed class ListView(Column[] columns, params string[] shown)
{
    /// <summary>Prints the rows by the value of <c>--format</c>; null or <c>table</c> means the default table.</summary>
    internal void Write(StandardStreams streams, IEnumerable<JsonElement> rows, string? format)
    {
        if (string.IsNullOrEmpty(format) || format == "table")
        {
            WriteTable(streams, rows, shown);
        }
        else if (format == "json")
        {
            foreach (var row in rows)
            {
                streams.Text.WriteLine(TemplateValues.Json(new Row(columns, row)));
            }
        }
        else
        {
            WriteByTemplate(streams, rows, format.Replace("\\t", "\t", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal));
        }
    }

    private static int? Width(StandardStreams streams) => streams.OutputIsTerminal ? TerminalSize.Of(1)?.Width : null;

    private static string Cell(object? value) => value is null ? "" : TemplateValues.Text(value);

    private void WriteTable(StandardStreams streams, IEnumerable<JsonElement> rows, string[] names)
    {
        var picked = Array.ConvertAll(names, name => Array.Find(columns, c => string.Equals(c.Name, name, StringComparison.Ordinal))!);
        var table = new Table(Array.ConvertAll(picked, static c => c.Header), Array.ConvertAll(picked, static c => c.Flexible));
        foreach (var row in rows)
        {
            table.Add(Array.ConvertAll(picked, c => Cell(c.Value(row))));
        }

        table.Write(streams.Text, Width(streams));
    }

    private void WriteByTemplate(StandardStreams streams, IEnumerable<JsonElement> rows, string format)
    {
        var tabular = format.StartsWith("table", StringComparison.Ordinal);
        var template = Template.Parse(tabular ? format["table".Length..].TrimStart() : format);
        if (!tabular)
        {
            foreach (var row in rows)
            {
                streams.Text.WriteLine(template.Apply(new Row(columns, row)));
            }

            return;
        }

        var headers = template.Apply(new HeaderRow(columns)).Split('\t');
        var table = new Table(headers, new bool[headers.Length]);
        foreach (var row in rows)
        {
            var cells = template.Apply(new Row(columns, row)).Split('\t');
            Array.Resize(ref cells, headers.Length);
            table.Add(Array.ConvertAll(cells, static cell => cell ?? ""));
        }

        table.Write(streams.Text, Width(streams));
    }

    private sealed class Row(Column[] columns, JsonElement element) : ITemplateObject
    {
        public IEnumerable<KeyValuePair<string, object?>> Fields => columns
            .OrderBy(static c => c.Name, StringComparer.Ordinal)
            .Select(c => KeyValuePair.Create(c.Name, c.Value(element)))
            .Where(static p => p.Value is not TemplateMethod);

        public bool TryGet(string name, out object? value)
        {
            foreach (var column in columns)
            {
                if (string.Equals(column.Name, name, StringComparison.Ordinal))
                {
                    value = column.Value(element);
                    return true;
                }
            }

            value = null;
            return false;
        }
    }

    /// <summary>Stands for a row when the header line of <c>table TEMPLATE</c> is made.</summary>
    private sealed class HeaderRow(Column[] columns) : ITemplateObject
    {
        public IEnumerable<KeyValuePair<string, object?>> Fields => columns.Select(static c => KeyValuePair.Create(c.Name, (object?)c.Header));

        public bool TryGet(string name, out object? value)
        {
            var column = Array.Find(columns, c => string.Equals(c.Name, name, StringComparison.Ordinal));
            value = column is { Name: "Label" } ? new TemplateMethod(static a => TemplateValues.Text(a.Count > 0 ? a[0] : null)) : column?.Header;
            return column is not null;
        }
    }
}
