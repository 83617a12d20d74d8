using Wherry.Errors;

namespace Wherry.Registry;

/// <summary>The specification's error codes (distribution-spec, "Error Codes").</summary>
public static class ErrorCode
{
    public const string BlobUnknown = "BLOB_UNKNOWN";
    public const string BlobUploadInvalid = "BLOB_UPLOAD_INVALID";
    public const string BlobUploadUnknown = "BLOB_UPLOAD_UNKNOWN";
    public const string DigestInvalid = "DIGEST_INVALID";
    public const string ManifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN";
    public const string ManifestInvalid = "MANIFEST_INVALID";
    public const string ManifestUnknown = "MANIFEST_UNKNOWN";
    public const string NameInvalid = "NAME_INVALID";
    public const string NameUnknown = "NAME_UNKNOWN";
    public const string SizeInvalid = "SIZE_INVALID";
    public const string Unauthorized = "UNAUTHORIZED";
    public const string Denied = "DENIED";
    public const string Unsupported = "UNSUPPORTED";
    public const string TooManyRequests = "TOOMANYREQUESTS";

    /// <summary>Docker's code for a page size that is no number; the specification leaves it open.</summary>
    public const string PaginationNumberInvalid = "PAGINATION_NUMBER_INVALID";

    /// <summary>What no code describes.</summary>
    public const string Unknown = "UNKNOWN";
}

/// <summary>An expected failure as the distribution API answers it.</summary>
public sealed class RegistryException : WherryException
{
    /// <param name="status">The HTTP status.</param>
    /// <param name="code">One of <see cref="ErrorCode"/>.</param>
    /// <param name="message">For people.</param>
    /// <param name="detail">What the failure is about: a digest, a name.</param>
    /// <param name="inner">The underlying failure.</param>
    public RegistryException(int status, string code, string message, string? detail = null, Exception? inner = null)
        : base(KindOf(status), message, inner)
    {
        Status = status;
        Code = code;
        Detail = detail;
    }

    public int Status { get; }

    public string Code { get; }

    public string? Detail { get; }

    public static RegistryException BlobUnknown(string digest) => new(404, ErrorCode.BlobUnknown, "blob unknown to registry", digest);

    public static RegistryException ManifestUnknown(string reference) => new(404, ErrorCode.ManifestUnknown, "manifest unknown", reference);

    public static RegistryException NameUnknown(string name) => new(404, ErrorCode.NameUnknown, "repository name not known to registry", name);

    public static RegistryException UploadUnknown(string id) => new(404, ErrorCode.BlobUploadUnknown, "blob upload unknown to registry", id);

    public static RegistryException ManifestInvalid(string message, string? detail = null, Exception? inner = null) =>
        new(400, ErrorCode.ManifestInvalid, "manifest invalid: " + message, detail, inner);

    public static RegistryException DigestInvalid(string message, string? detail = null) => new(400, ErrorCode.DigestInvalid, message, detail);

    public static RegistryException ReadOnly(string why) => new(405, ErrorCode.Unsupported, $"the operation is unsupported: {why}");

    private static ErrorKind KindOf(int status) => status switch
    {
        401 or 403 => ErrorKind.Forbidden,
        404 => ErrorKind.NotFound,
        405 => ErrorKind.Unsupported,
        409 => ErrorKind.Conflict,
        413 => ErrorKind.TooLarge,
        429 or 502 or 503 => ErrorKind.Unavailable,
        >= 500 => ErrorKind.System,
        _ => ErrorKind.InvalidParameter,
    };
}
