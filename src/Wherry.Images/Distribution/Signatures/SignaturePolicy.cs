using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Images.Distribution.Http;
using Wherry.Oci.Images;

namespace Wherry.Images.Distribution.Signatures;

/// <summary>
/// Refuses what isn't signed, where the configuration asks for signatures: cosign's simple signing, a manifest under the
/// tag <c>sha256-&lt;digest&gt;.sig</c> whose layers are payloads and whose annotations are their ECDSA signatures.
/// </summary>
internal sealed class SignaturePolicy(EndpointResolver resolver)
{
    private const string PayloadType = "application/vnd.dev.cosign.simplesigning.v1+json";
    private const string SignatureAnnotation = "dev.cosignproject.cosign/signature";
    private const string PayloadKind = "cosign container image signature";

    /// <summary>Many may have signed; whoever can write to the repository can add signatures without end.</summary>
    private const int MostSignatures = 64;
    private const int LargestPayload = 64 * 1024;

    /// <summary>The keys one of which must have signed; null where none need have.</summary>
    internal IReadOnlyList<string>? KeysFor(string domain, string path) => resolver.RuleOf(domain, path).Rule.SignedBy;

    /// <summary>Returns when one of the manifests is signed by one of the keys the configuration names, or needs no signature.</summary>
    /// <param name="repository">Where the image is, and its signatures.</param>
    /// <param name="domain">The registry's name as the user wrote it.</param>
    /// <param name="path">The repository's.</param>
    /// <param name="digests">What the image is known by: the index its tag names, and its manifest.</param>
    /// <param name="cancel">Gives up.</param>
    internal async Task RequireAsync(RepositoryClient repository, string domain, string path, IReadOnlyList<string> digests, CancellationToken cancel)
    {
        if (KeysFor(domain, path) is not { } files)
            return;
        var where = $"{domain}/{path}";
        if (files.Count == 0)
            throw new WherryException(ErrorKind.Forbidden, $"images of {where} are refused: the configuration lists no key for it (signed-by)");
        var keys = files.Select(ReadKey).ToList();
        var found = 0;
        try
        {
            foreach (var digest in digests.Distinct(StringComparer.Ordinal))
            {
                await foreach (var (payload, signature) in SignaturesAsync(repository, digest, cancel))
                {
                    found++;
                    if (keys.Exists(key => Verifies(key, payload, signature)) && Signs(payload, digest))
                        return;
                }
            }
        }
        finally
        {
            keys.ForEach(key => key.Dispose());
        }
        throw new WherryException(
            ErrorKind.Forbidden,
            found == 0
                ? $"image {where}@{digests[0]} is not signed, and the configuration asks for a signature (signed-by)"
                : $"image {where}@{digests[0]} has no signature by any of the configured keys ({string.Join(", ", files)})");
    }

    private static async IAsyncEnumerable<(byte[] Payload, byte[] Signature)> SignaturesAsync(
        RepositoryClient repository,
        string digest,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        Manifest manifest;
        try
        {
            var tag = digest.Replace(':', '-') + ".sig";
            manifest = (await repository.GetManifestAsync(tag, cancel)).Manifest($"the signatures of {digest}");
        }
        catch (RegistryException missing) when (missing.Status == HttpStatusCode.NotFound)
        {
            yield break;
        }
        foreach (var layer in manifest.Layers.Where(layer => layer.MediaType == PayloadType && layer.Size <= LargestPayload).Take(MostSignatures))
        {
            if (layer.Annotations?.GetValueOrDefault(SignatureAnnotation) is not { } text)
                continue;
            var signature = new byte[text.Length];
            if (Convert.TryFromBase64String(text, signature, out var length))
                yield return (await repository.GetDocumentAsync(layer, $"fetch a signature of {digest}", cancel), signature[..length]);
        }
    }

    /// <summary>What was signed must speak of this very manifest.</summary>
    private static bool Signs(byte[] payload, string digest)
    {
        try
        {
            using var document = JsonDocument.Parse(payload, new JsonDocumentOptions { MaxDepth = 16 });
            var critical = document.RootElement.GetProperty("critical");
            return critical.GetProperty("type").GetString() == PayloadKind
                && critical.GetProperty("image").GetProperty("docker-manifest-digest").GetString() == digest;
        }
        catch (Exception damaged) when (damaged is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return false;
        }
    }

    private static bool Verifies(ECDsa key, byte[] payload, byte[] signature) =>
        key.VerifyData(payload, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    private static ECDsa ReadKey(string file)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(file));
            return key.KeySize == 256 ? key : throw new CryptographicException($"it has {key.KeySize} bits, not the 256 of P-256");
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw WherryException.System($"signed-by: {file} is not a usable ECDSA P-256 public key in PEM: {unusable.Message}", unusable);
        }
    }
}
