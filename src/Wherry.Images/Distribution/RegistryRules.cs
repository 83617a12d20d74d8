using System.Text.Json;
using Wherry.Errors;

namespace Wherry.Images.Distribution;

/// <summary>Reads the configuration's <c>registries</c>: an object of rules by registry or prefix.</summary>
public static class RegistryRules
{
    /// <summary>Reads and checks all rules.</summary>
    /// <exception cref="WherryException">The text is not such an object; the message names rule and member.</exception>
    public static IReadOnlyDictionary<string, RegistryRule> Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw WherryException.Invalid("registries must be an object of rules by registry, registry/prefix or *");
            var rules = new Dictionary<string, RegistryRule>(StringComparer.Ordinal);
            foreach (var entry in document.RootElement.EnumerateObject())
            {
                if (entry.Name.Length == 0 || entry.Name.StartsWith('/') || entry.Name.EndsWith('/') || entry.Name.Contains("://", StringComparison.Ordinal))
                    throw WherryException.Invalid($"registries: \"{entry.Name}\" must be a registry (host[:port]), the start of a repository's name (host[:port]/path) or *");
                rules[entry.Name] = Rule(entry.Name, entry.Value);
            }
            return rules;
        }
        catch (JsonException damaged)
        {
            throw WherryException.Invalid($"registries is not JSON: {damaged.Message}", damaged);
        }
    }

    /// <summary>Checks a mirror's address and returns it.</summary>
    public static string CheckMirror(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0
            ? address
            : throw WherryException.Invalid($"mirror \"{address}\" must have the form https://host[:port][/prefix]");

    private static RegistryRule Rule(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw WherryException.Invalid($"registries: the rule of \"{name}\" must be an object");
        var rule = new RegistryRule();
        foreach (var member in value.EnumerateObject())
        {
            rule = member.Name switch
            {
                "mirrors" => rule with { Mirrors = [.. Texts(name, member).Select(CheckMirror)] },
                "location" => rule with { Location = Text(name, member.Name, member.Value).Trim('/') },
                "insecure" => rule with { Insecure = Truth(name, member) },
                "signed-by" => rule with { SignedBy = [.. Texts(name, member).Select(path => AbsolutePath(name, path))] },
                _ => throw WherryException.Invalid($"registries: the rule of \"{name}\" has an unknown member \"{member.Name}\": use mirrors, location, insecure or signed-by"),
            };
        }
        return rule.Location is not null && name == "*"
            ? throw WherryException.Invalid("registries: the rule * can't have a location: it would send all registries to one place")
            : rule;
    }

    private static string AbsolutePath(string rule, string path) =>
        path.StartsWith('/') ? path : throw WherryException.Invalid($"registries: signed-by of \"{rule}\" must name files by absolute paths, not \"{path}\"");

    private static bool Truth(string rule, JsonProperty member) =>
        member.Value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? member.Value.GetBoolean()
            : throw WherryException.Invalid($"registries: {member.Name} of \"{rule}\" must be true or false");

    private static List<string> Texts(string rule, JsonProperty member) =>
        member.Value.ValueKind == JsonValueKind.Array
            ? [.. member.Value.EnumerateArray().Select(item => Text(rule, member.Name, item))]
            : throw WherryException.Invalid($"registries: {member.Name} of \"{rule}\" must be a list of strings");

    private static string Text(string rule, string member, JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text
            : throw WherryException.Invalid($"registries: {member} of \"{rule}\" must be text");
}
