using System.Text.Json;
using Wherry.Daemon.Options;
using Wherry.Errors;
using Wherry.Registry.Authentication;
using Wherry.Registry.Names;
using Wherry.Registry.Storage;

namespace Wherry.Daemon.Registry;

/// <summary>
/// The registry's configuration file: one JSON object with the options' names as keys, and two lists the command line
/// doesn't have: <c>access</c> (who may do what) and <c>quotas</c> (how much each repository may hold).
/// </summary>
internal static class RegistryConfigFile
{
    public const string DefaultPath = "/etc/wherry/registry.json";

    public static RegistryDaemonOptions Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return Apply(document.RootElement);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            throw WherryException.Invalid($"configuration file {path} is not a JSON object: {failure.Message}", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw WherryException.Invalid($"configuration file {path}: {failure.Message}", failure);
        }
        catch (WherryException wrong)
        {
            throw WherryException.Invalid($"configuration file {path}: {wrong.Message}", wrong);
        }
    }

    private static RegistryDaemonOptions Apply(JsonElement root)
    {
        var options = new RegistryDaemonOptions();
        foreach (var entry in root.EnumerateObject())
        {
            options = entry.Name switch
            {
                "access" => options with { Access = [.. Items(entry).Select(Access)] },
                "quotas" => options with { Quotas = [.. Items(entry).Select(Quota)] },
                _ => RegistryOption.All.FirstOrDefault(option => option.Name == entry.Name) is { } option
                    ? Values(option, entry.Value).Aggregate(options, option.Apply)
                    : throw WherryException.Invalid($"\"{entry.Name}\" is no option"),
            };
        }

        return options;
    }

    private static IEnumerable<string> Values(RegistryOption option, JsonElement value) => (option, value.ValueKind) switch
    {
        ({ IsList: true }, JsonValueKind.Array) => value.EnumerateArray().Select(item => Text(option.Name, item)),
        ({ IsSwitch: true }, JsonValueKind.True) => ["true"],
        ({ IsSwitch: true }, JsonValueKind.False) => ["false"],
        ({ IsSwitch: false }, JsonValueKind.String) => [value.GetString()!],
        ({ IsSwitch: false }, JsonValueKind.Number) => [value.GetRawText()],
        _ => throw WherryException.Invalid($"\"{option.Name}\" must be {(option.IsSwitch ? "true or false" : option.IsList ? "a string or a list of them" : "a string")}"),
    };

    private static AccessRule Access(JsonElement rule)
    {
        var actions = RepositoryAction.None;
        foreach (var action in Required("access", rule, "actions").EnumerateArray())
        {
            var text = Text("actions", action);
            actions |= RepositoryActions.TryParse(text) ?? throw WherryException.Invalid($"access: \"{text}\" is no action: use pull, push, delete or *");
        }

        OnlyMembers("access", rule, "user", "repositories", "actions");
        return new AccessRule(Text("user", Required("access", rule, "user")), Pattern("access", rule), actions);
    }

    private static QuotaRule Quota(JsonElement rule)
    {
        OnlyMembers("quotas", rule, "repositories", "limit");
        return new QuotaRule(Pattern("quotas", rule), OptionValue.Bytes("limit", Text("limit", Required("quotas", rule, "limit"))));
    }

    private static RepositoryPattern Pattern(string list, JsonElement rule) => new(Text("repositories", Required(list, rule, "repositories")));

    private static JsonElement.ArrayEnumerator Items(JsonProperty entry) => entry.Value.ValueKind == JsonValueKind.Array
        ? entry.Value.EnumerateArray()
        : throw WherryException.Invalid($"\"{entry.Name}\" must be a list");

    private static JsonElement Required(string list, JsonElement rule, string member) => rule.TryGetProperty(member, out var value)
        ? value
        : throw WherryException.Invalid($"{list}: a rule needs \"{member}\"");

    /// <summary>A misspelt member would silently give somebody more or less than was meant.</summary>
    private static void OnlyMembers(string list, JsonElement rule, params string[] known)
    {
        foreach (var member in rule.EnumerateObject().Where(member => !known.Contains(member.Name, StringComparer.Ordinal)))
        {
            throw WherryException.Invalid($"{list}: \"{member.Name}\" is unknown: a rule has {string.Join(", ", known)}");
        }
    }

    private static string Text(string name, JsonElement value) => value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw WherryException.Invalid($"\"{name}\" must be a string");
}
