using System.Security.Cryptography;
using System.Text;

namespace Wherry.Storage.Layers;

/// <summary>SHA-256 digests in their written form, and the chain IDs made of them.</summary>
public static class Digests
{
    private const string Prefix = "sha256:";
    private const int HexLength = 64;

    public static bool IsValid(string? text) =>
        text is { Length: 71 } && text.StartsWith(Prefix, StringComparison.Ordinal) && IsHex(text.AsSpan(Prefix.Length));

    /// <summary>The 64 digits of a valid digest: what files are named by.</summary>
    public static string Hex(string digest) =>
        IsValid(digest) ? digest[Prefix.Length..] : throw new ArgumentException($"not a sha256 digest: {digest}", nameof(digest));

    public static string FromHex(string hex) => Prefix + hex;

    public static string FromHash(ReadOnlySpan<byte> hash) => Prefix + Convert.ToHexStringLower(hash);

    public static string Of(ReadOnlySpan<byte> content) => FromHash(SHA256.HashData(content));

    /// <summary>Whether the text is exactly the digits of a digest.</summary>
    public static bool IsHexDigest(ReadOnlySpan<char> text) => text.Length == HexLength && IsHex(text);

    /// <summary>The chain ID of a layer on top of another (image-spec, config.md, "Layer ChainID").</summary>
    public static string Chain(string? parent, string diffId) =>
        parent is null ? diffId : Of(Encoding.ASCII.GetBytes($"{parent} {diffId}"));

    public static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept("0123456789abcdef");
}
