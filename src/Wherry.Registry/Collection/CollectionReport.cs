namespace Wherry.Registry.Collection;

/// <summary>What a collection removed.</summary>
public sealed record CollectionReport
{
    /// <summary>Untagged manifests nobody listed or referred from.</summary>
    public int Manifests { get; init; }

    /// <summary>Links from repositories to blobs that none of their manifests names.</summary>
    public int Links { get; init; }

    /// <summary>Blobs without any link.</summary>
    public int Blobs { get; init; }

    /// <summary>Bytes of these blobs.</summary>
    public long Bytes { get; init; }

    /// <summary>Uploads that nobody continued.</summary>
    public int Uploads { get; init; }

    public long Milliseconds { get; init; }
}
