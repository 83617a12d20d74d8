using System.Text.Json;
using Wherry.Daemon.Rootless;
using Wherry.Errors;

namespace Wherry.Daemon.Options;

/// <summary>The configuration file: one JSON object with the options' names as keys, as dockerd's <c>daemon.json</c>.</summary>
internal static class ConfigFile
{
    public static string DefaultPath => UserDirectories.AreMeant ? UserDirectories.ConfigFile : "/etc/wherry/daemon.json";

    /// <summary>The values in the file at <paramref name="path"/>, by option.</summary>
    public static IReadOnlyDictionary<OptionDefinition, List<string>> Read(string path)
    {
        byte[] text;
        try
        {
            text = File.ReadAllBytes(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw WherryException.Invalid($"configuration file {path}: {failure.Message}", failure);
        }

        return Parse(path, text);
    }

    internal static IReadOnlyDictionary<OptionDefinition, List<string>> Parse(string path, ReadOnlyMemory<byte> text)
    {
        var found = new Dictionary<OptionDefinition, List<string>>();
        var unknown = new List<string>();
        try
        {
            using var document = JsonDocument.Parse(text);
            foreach (var entry in document.RootElement.EnumerateObject())
            {
                if (OptionDefinition.All.FirstOrDefault(definition => definition.FileKey == entry.Name) is { } definition)
                {
                    found[definition] = Values(path, definition, entry.Value);
                }
                else
                {
                    unknown.Add(entry.Name);
                }
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw WherryException.Invalid($"configuration file {path} is not a JSON object: {failure.Message}", failure);
        }

        return unknown.Count == 0
            ? found
            : throw WherryException.Invalid(
                $"configuration file {path}: the following directives don't match any configuration option: {string.Join(", ", unknown)}");
    }

    private static List<string> Values(string path, OptionDefinition definition, JsonElement value) => (definition, value.ValueKind) switch
    {
        ({ IsList: true }, JsonValueKind.Array) => [.. value.EnumerateArray().Select(item => Text(path, definition, item))],
        ({ IsSwitch: true }, JsonValueKind.True) => ["true"],
        ({ IsSwitch: true }, JsonValueKind.False) => ["false"],
        ({ IsObject: true }, JsonValueKind.Object) => [value.GetRawText()],
        ({ IsNumber: true }, JsonValueKind.Number) => [value.GetRawText()],
        ({ IsList: false, IsSwitch: false, IsObject: false }, _) => [Text(path, definition, value)],
        _ => throw Wrong(path, definition),
    };

    private static string Text(string path, OptionDefinition definition, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(path, definition);

    private static WherryException Wrong(string path, OptionDefinition definition)
    {
        var expected = definition.IsList ? "a list of strings" : definition.IsSwitch ? "true or false" : definition.IsObject ? "an object" : "a string";
        return WherryException.Invalid($"configuration file {path}: \"{definition.FileKey}\" must be {expected}");
    }
}
