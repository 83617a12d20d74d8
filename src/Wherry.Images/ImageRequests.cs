using Wherry.Oci.Images;

namespace Wherry.Images;

/// <summary>A root file system's archive to make an image of.</summary>
public sealed record ImportRequest
{
    public string? Reference { get; init; }

    /// <summary>Dockerfile lines such as <c>CMD ["sh"]</c>.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    public string? Message { get; init; }

    /// <summary>Null is the host's.</summary>
    public Platform? Platform { get; init; }
}

/// <summary>A container's changes to make an image of.</summary>
public sealed record CommitRequest
{
    /// <summary>The image the container was made of; null when it had none.</summary>
    public string? ParentImageId { get; init; }

    /// <summary>The container's snapshot.</summary>
    public required Storage.Layers.Snapshot Snapshot { get; init; }

    /// <summary>The container's configuration, already merged with its image's.</summary>
    public required ExecutionParameters Config { get; init; }

    public IReadOnlyList<string> Changes { get; init; } = [];

    public string? Author { get; init; }

    public string? Comment { get; init; }

    public string? Reference { get; init; }

    public string? ContainerId { get; init; }
}

/// <summary>A base image to make from a distribution's packages.</summary>
/// <param name="Name"><c>busybox</c>, <c>debian:SUITE</c> or <c>ubuntu:SUITE</c>.</param>
public sealed record BootstrapRequest(string Name);

/// <summary>An image that an archive brought.</summary>
/// <param name="Id">The image's ID.</param>
/// <param name="Reference">Its familiar name; null when the archive names none.</param>
public sealed record LoadedImage(string Id, string? Reference);

/// <summary>A container that was made of an image.</summary>
public sealed record ImageUser(string ContainerId, string ContainerName, bool Running);

/// <summary>What a removal did: exactly one member is set, as in the API's <c>ImageDeleteResponseItem</c>.</summary>
public sealed record ImageDeletion(string? Untagged, string? Deleted);

/// <summary>A step of an image's history, newest first.</summary>
/// <param name="Id">The image of that step, or <c>&lt;missing&gt;</c>.</param>
/// <param name="Created">When the step was done.</param>
/// <param name="CreatedBy">The command of the step.</param>
/// <param name="Tags">Names of the image of that step.</param>
/// <param name="Size">Bytes the step's layer holds.</param>
/// <param name="Comment">The step's message.</param>
public sealed record HistoryEntry(string Id, DateTimeOffset Created, string CreatedBy, IReadOnlyList<string> Tags, long Size, string Comment);

/// <summary>How far a long operation is; bytes or steps in <paramref name="Current"/> and <paramref name="Total"/>.</summary>
/// <param name="Id">The item; null for the whole.</param>
/// <param name="Status">What is done with it.</param>
/// <param name="Current">Done so far.</param>
/// <param name="Total">To be done.</param>
/// <param name="Heading">The line is no item's, whatever its ID: it stays, and items follow it.</param>
public sealed record ImageProgress(string? Id, string Status, long? Current = null, long? Total = null, bool Heading = false);

/// <summary>How images are saved.</summary>
/// <param name="Layout">The archive's form.</param>
/// <param name="Compression">Of the whole archive.</param>
public sealed record SaveFormat(SaveLayout Layout = SaveLayout.Docker, ArchiveCompression Compression = ArchiveCompression.None);

public enum SaveLayout
{
    /// <summary>An image layout that also carries <c>manifest.json</c>: Docker of any age and OCI tools read it.</summary>
    Docker,

    /// <summary>A plain OCI image layout.</summary>
    Oci,
}

public enum ArchiveCompression
{
    None,
    Gzip,
    Zstd,
}
