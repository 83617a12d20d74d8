using System.Globalization;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Checkpoints;

/// <summary>
/// What a restore has to know beside CRIU's images, in a file among them: what the container had from outside.
/// </summary>
public sealed record CheckpointRecord
{
    /// <summary>The file's name.</summary>
    public const string FileName = "wherry-oci.json";

    /// <summary>The kinds of the container's namespaces, by runtime-spec's names.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>The network namespace was another's.</summary>
    public bool JoinsNetwork { get; init; }

    /// <summary>The user namespace's mappings, which CRIU makes again as they were; empty without.</summary>
    public IReadOnlyList<string> Users { get; init; } = [];

    public IReadOnlyList<string> Groups { get; init; } = [];

    public bool Terminal { get; init; }

    /// <summary>CRIU's names for the first process's descriptors 0, 1 and 2; empty for what is the container's own.</summary>
    public IReadOnlyList<string> Streams { get; init; } = [];

    public IReadOnlyList<OutsideMount> Mounts { get; init; } = [];

    /// <summary>What of a record the configuration says.</summary>
    public static CheckpointRecord Of(Spec spec) => new()
    {
        Namespaces = [.. (spec.Linux?.Namespaces ?? []).Select(ns => ns.Type).Order(StringComparer.Ordinal)],
        JoinsNetwork = NetworkPath(spec) is not null,
        Users = Mappings(spec.Linux?.UidMappings),
        Groups = Mappings(spec.Linux?.GidMappings),
        Terminal = spec.Process?.Terminal is true,
    };

    /// <summary>The network namespace that a configuration joins; null for none.</summary>
    public static string? NetworkPath(Spec spec) => spec.Linux?.Namespaces.FirstOrDefault(ns => ns.Type == "network")?.Path is { Length: > 0 } path ? path : null;

    /// <exception cref="WherryException">The processes can't be restored into a container of that configuration.</exception>
    public void RequireLike(Spec spec)
    {
        var other = Of(spec);
        if (!Namespaces.SequenceEqual(other.Namespaces, StringComparer.Ordinal))
        {
            throw WherryException.Invalid($"linux.namespaces: the checkpoint is of a container with {string.Join(", ", Namespaces)}; the bundle has {string.Join(", ", other.Namespaces)}");
        }

        if (JoinsNetwork != other.JoinsNetwork)
        {
            throw WherryException.Invalid($"linux.namespaces: network: the checkpoint is of a container that {(JoinsNetwork ? "joined another's; the bundle has no path" : "had its own; the bundle has a path")}");
        }

        RequireLike("linux.uidMappings", Users, other.Users);
        RequireLike("linux.gidMappings", Groups, other.Groups);
        if (Terminal != other.Terminal)
        {
            throw WherryException.Invalid($"process.terminal: the checkpoint is of a container with{(Terminal ? "" : "out")} a terminal");
        }
    }

    public byte[] ToJson()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            WriteTexts(json, "namespaces", Namespaces);
            json.WriteBoolean("joinsNetwork", JoinsNetwork);
            WriteTexts(json, "users", Users);
            WriteTexts(json, "groups", Groups);
            json.WriteBoolean("terminal", Terminal);
            WriteTexts(json, "streams", Streams);
            json.WriteStartArray("mounts");
            foreach (var mount in Mounts)
            {
                json.WriteStartObject();
                json.WriteString("point", mount.Point);
                json.WriteString("kind", mount.Kind);
                json.WriteString("of", mount.Of);
                json.WriteString("below", mount.Below);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return text.ToArray();
    }

    /// <exception cref="WherryException">It is not what <see cref="ToJson"/> makes.</exception>
    public static CheckpointRecord Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            var json = new Utf8JsonReader(text);
            var document = JsonElement.ParseValue(ref json);
            return new CheckpointRecord
            {
                Namespaces = Texts(document, "namespaces"),
                JoinsNetwork = document.GetProperty("joinsNetwork").GetBoolean(),
                Users = document.TryGetProperty("users", out _) ? Texts(document, "users") : [],
                Groups = document.TryGetProperty("groups", out _) ? Texts(document, "groups") : [],
                Terminal = document.GetProperty("terminal").GetBoolean(),
                Streams = Texts(document, "streams"),
                Mounts = [.. document.GetProperty("mounts").EnumerateArray().Select(mount => new OutsideMount(
                    Text(mount, "point"), Text(mount, "kind"), Text(mount, "of"), Text(mount, "below")))],
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw WherryException.Invalid($"the checkpoint's {FileName} is damaged: {e.Message}", e);
        }
    }

    private static void RequireLike(string property, IReadOnlyList<string> had, IReadOnlyList<string> has)
    {
        if (!had.SequenceEqual(has, StringComparer.Ordinal))
        {
            throw WherryException.Invalid($"{property}: the checkpoint is of a container with \"{string.Join(", ", had)}\", and CRIU makes its user namespace as it was; the bundle has \"{string.Join(", ", has)}\"");
        }
    }

    // As uid_map has them.
    private static string[] Mappings(IReadOnlyList<IdMapping>? mappings) =>
        [.. (mappings ?? []).Select(mapping => string.Create(CultureInfo.InvariantCulture, $"{mapping.ContainerID} {mapping.HostID} {mapping.Size}"))];

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? throw new JsonException($"{name} is null");

    private static string[] Texts(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(text => text.GetString() ?? throw new JsonException($"{name} has a null"))];
}
