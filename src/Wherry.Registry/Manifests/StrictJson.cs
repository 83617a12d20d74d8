using System.Text.Json;

namespace Wherry.Registry.Manifests;

/// <summary>
/// Refuses documents that two readers could understand differently: repeated keys, of which one reader takes the first
/// and another the last, and nesting so deep that some give up.
/// </summary>
internal static class StrictJson
{
    internal const int MaximumDepth = 32;

    /// <exception cref="JsonException">The text is not JSON, is nested too deeply, or repeats a key.</exception>
    internal static void Check(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaximumDepth });
        var open = new Stack<HashSet<string>>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    open.Push(new HashSet<string>(StringComparer.Ordinal));
                    break;
                case JsonTokenType.EndObject:
                    open.Pop();
                    break;
                case JsonTokenType.PropertyName when !open.Peek().Add(reader.GetString()!):
                    throw new JsonException($"the key \"{reader.GetString()}\" is repeated");
                default:
                    break;
            }
        }
    }
}
