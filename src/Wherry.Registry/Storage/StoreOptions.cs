using Wherry.Registry.Names;

namespace Wherry.Registry.Storage;

/// <summary>The bounds of a store.</summary>
public sealed record StoreOptions
{
    /// <summary>Absolute; made where it is missing.</summary>
    public required string Root { get; init; }

    /// <summary>The first rule whose pattern fits a repository bounds it; none means no bound.</summary>
    public IReadOnlyList<QuotaRule> Quotas { get; init; } = [];

    /// <summary>Bytes one blob may have.</summary>
    public long LargestBlob { get; init; } = long.MaxValue;

    /// <summary>Uploads that may be open at a time; each costs a descriptor and a little memory.</summary>
    public int MaximumUploads { get; init; } = 1024;

    /// <summary>An upload nobody has touched for so long is given up.</summary>
    public TimeSpan UploadExpiry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Manifests may name blobs that are not here: they come from upstream when they are asked for.</summary>
    public bool AllowMissingBlobs { get; init; }
}

/// <summary>How many bytes of distinct blobs and manifests a repository may hold.</summary>
public sealed record QuotaRule(RepositoryPattern Repositories, long Bytes);
