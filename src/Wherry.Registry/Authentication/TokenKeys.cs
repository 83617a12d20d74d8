using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Wherry.Errors;
using Wherry.Storage.Layers;

namespace Wherry.Registry.Authentication;

/// <summary>Public keys that tokens are checked with: ES256 (P-256) and RS256 (RFC 7518, section 3.1).</summary>
public sealed class TokenKeys
{
    private readonly IReadOnlyList<ECDsa> _elliptic;
    private readonly IReadOnlyList<RSA> _rsa;

    private TokenKeys(IReadOnlyList<ECDsa> elliptic, IReadOnlyList<RSA> rsa)
    {
        _elliptic = elliptic;
        _rsa = rsa;
    }

    /// <summary>Reads the public keys and certificates in a PEM file.</summary>
    public static TokenKeys Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw WherryException.Invalid($"token-key: {failure.Message}", failure);
        }

        var elliptic = new List<ECDsa>();
        var rsa = new List<RSA>();
        var rest = text.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            Add(rest[fields.Location].ToString(), rest[fields.Label].ToString(), path, elliptic, rsa);
            rest = rest[fields.Location.End..];
        }

        if (elliptic.Count + rsa.Count == 0)
        {
            throw WherryException.Invalid($"token-key: {path} has no public key or certificate in PEM form");
        }

        return new TokenKeys(elliptic, rsa);
    }

    public static TokenKeys Of(ECDsa key) => new([key], []);

    /// <summary>A P-256 private key, made at the first use and kept for its owner's eyes.</summary>
    public static ECDsa ReadOrMake(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                DurableFile.Write(path, System.Text.Encoding.ASCII.GetBytes(made.ExportPkcs8PrivateKeyPem() + "\n"));
            }

            var key = ECDsa.Create();
            key.ImportFromPem(File.ReadAllText(path));
            return key.KeySize == 256 ? key : throw WherryException.Invalid($"token-signing-key: {path} must be a P-256 key");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw WherryException.Invalid($"token-signing-key: {path}: {failure.Message}", failure);
        }
    }

    internal bool Verifies(string? algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (algorithm == "ES256")
        {
            foreach (var key in _elliptic)
            {
                if (key.VerifyData(data, signature, HashAlgorithmName.SHA256))
                {
                    return true;
                }
            }
        }
        else if (algorithm == "RS256")
        {
            foreach (var key in _rsa)
            {
                if (key.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static void Add(string pem, string label, string path, List<ECDsa> elliptic, List<RSA> rsa)
    {
        try
        {
            if (label == "CERTIFICATE")
            {
                using var certificate = X509Certificate2.CreateFromPem(pem);
                AddKey(certificate.PublicKey.ExportSubjectPublicKeyInfo(), elliptic, rsa);
            }
            else if (label == "PUBLIC KEY")
            {
                AddKey(Convert.FromBase64String(string.Concat(pem.Split('\n').Where(line => !line.StartsWith("-----", StringComparison.Ordinal)))), elliptic, rsa);
            }
            else
            {
                throw WherryException.Invalid($"token-key: {path} holds a {label}, where public keys and certificates belong");
            }
        }
        catch (Exception failure) when (failure is CryptographicException or FormatException)
        {
            throw WherryException.Invalid($"token-key: {path}: {failure.Message}", failure);
        }
    }

    private static void AddKey(byte[] subjectPublicKeyInfo, List<ECDsa> elliptic, List<RSA> rsa)
    {
        var key = PublicKey.CreateFromSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
        if (key.GetECDsaPublicKey() is { } curve)
        {
            elliptic.Add(curve.KeySize == 256 ? curve : throw new CryptographicException("only the P-256 curve is supported (ES256)"));
        }
        else if (key.GetRSAPublicKey() is { } modulus)
        {
            rsa.Add(modulus.KeySize >= 2048 ? modulus : throw new CryptographicException("an RSA key needs 2048 bits"));
        }
        else
        {
            throw new CryptographicException("it is neither an elliptic curve's key nor an RSA key");
        }
    }
}
