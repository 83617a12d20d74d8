using System.Text.Json;

namespace Wherry.Cli.Formatting.Templates;

/// <summary>A value with named fields that are computed when asked for (a row of a table).</summary>
internal interface ITemplateObject
{
    bool TryGet(string name, out object? value);

    /// <summary>All fields and their values, for <c>json</c>.</summary>
    IEnumerable<KeyValuePair<string, object?>> Fields { get; }
}

/// <summary>A field that takes arguments: <c>{{.Label "com.example"}}</c>.</summary>
internal delegate object? TemplateMethod(IReadOnlyList<object?> arguments);

/// <summary>The methods rows have.</summary>
internal static class TemplateMethods
{
    /// <summary><c>.Label "name"</c>: the value of one label, empty where it is not set.</summary>
    internal static TemplateMethod Label(JsonElement row) => arguments => arguments is [string name]
        ? row.Text("Labels", name)
        : throw new TemplateException($"wrong number of args for Label: want 1 got {arguments.Count}");
}
