using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Wherry.Errors;

namespace Wherry.Images.Distribution.Manifests;

/// <summary>
/// Documents from strangers. A member that is there twice means one thing to one reader and another to the next, so such
/// a document is refused, as is one that is nested too deep.
/// </summary>
internal static class StrictJson
{
    private const int Deepest = 32;

    internal static T Parse<T>(ReadOnlySpan<byte> text, JsonTypeInfo<T> type, string what)
        where T : class
    {
        try
        {
            RefuseDuplicates(text, what);
            return JsonSerializer.Deserialize(text, type) ?? throw WherryException.Invalid($"{what} is empty");
        }
        catch (JsonException damaged)
        {
            throw WherryException.Invalid($"{what} is not what it should be: {damaged.Message}", damaged);
        }
    }

    private static void RefuseDuplicates(ReadOnlySpan<byte> text, string what)
    {
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = Deepest });
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
                    throw WherryException.Invalid($"{what} has the member \"{reader.GetString()}\" twice");
                default:
                    break;
            }
        }
    }
}
