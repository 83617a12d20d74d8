using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Wherry.Registry.Names;

/// <summary>
/// The digest of a blob or manifest, in one of the two algorithms image-spec registers. Its parts are checked, so
/// that they are safe as names of files.
/// </summary>
public readonly record struct ContentDigest
{
    public const string Sha256 = "sha256";
    public const string Sha512 = "sha512";

    private ContentDigest(string algorithm, string hex)
    {
        Algorithm = algorithm;
        Hex = hex;
    }

    public static IReadOnlyList<string> Algorithms { get; } = [Sha256, Sha512];

    public string Algorithm { get; }

    /// <summary>64 or 128 lower-case digits.</summary>
    public string Hex { get; }

    public override string ToString() => $"{Algorithm}:{Hex}";

    public static bool TryParse([NotNullWhen(true)] string? text, out ContentDigest digest)
    {
        digest = default;
        if (text is null || text.IndexOf(':') is not (var colon and > 0))
        {
            return false;
        }

        var hex = text.AsSpan(colon + 1);
        var length = text.AsSpan(0, colon) switch
        {
            Sha256 => 64,
            Sha512 => 128,
            _ => -1,
        };
        if (hex.Length != length || hex.ContainsAnyExcept("0123456789abcdef"))
        {
            return false;
        }

        digest = new ContentDigest(length == 64 ? Sha256 : Sha512, hex.ToString());
        return true;
    }

    public static ContentDigest FromHash(string algorithm, ReadOnlySpan<byte> hash) => new(algorithm, Convert.ToHexStringLower(hash));

    public static ContentDigest Of(ReadOnlySpan<byte> content, string algorithm = Sha256) =>
        FromHash(algorithm, algorithm == Sha512 ? SHA512.HashData(content) : SHA256.HashData(content));

    /// <summary>A hash to feed with the content of a digest of this algorithm.</summary>
    public static IncrementalHash NewHash(string algorithm) =>
        IncrementalHash.CreateHash(algorithm == Sha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256);
}
