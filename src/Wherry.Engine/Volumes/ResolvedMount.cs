using System.Text.Json.Serialization;

namespace Wherry.Engine.Volumes;

public enum MountType
{
    /// <summary>A file or directory of the host.</summary>
    Bind,

    /// <summary>A volume of the engine's.</summary>
    Volume,

    /// <summary>Memory, gone when the container ends.</summary>
    Tmpfs,
}

/// <summary>
/// One mount of a container, whichever way it was asked for. What a container's record keeps; the client's own
/// words stay in its host configuration.
/// </summary>
public sealed record ResolvedMount
{
    public required MountType Type { get; init; }

    /// <summary>Clean absolute path inside the container.</summary>
    public required string Destination { get; init; }

    /// <summary>A volume's name; null on an anonymous volume that was not made yet.</summary>
    public string? Name { get; init; }

    /// <summary>The directory (or file) on the host; null on a tmpfs, and on a volume until it was made.</summary>
    public string? Source { get; init; }

    public bool ReadOnly { get; init; }

    /// <summary>The mode as written after the second colon of <c>-v</c>; inspect shows it.</summary>
    public string Mode { get; init; } = "";

    /// <summary><c>rprivate</c>, <c>rslave</c>, <c>shared</c> …; null on anything but a bind.</summary>
    public string? Propagation { get; init; }

    /// <summary>The volume got its name from the engine and goes with the container where <c>rm -v</c> asks for it.</summary>
    public bool IsAnonymous { get; init; }

    /// <summary>A bind's missing source is made, as a directory, when the container starts (<c>-v</c> but not <c>--mount</c>).</summary>
    public bool CreateSource { get; init; }

    /// <summary>Mount the source alone, without what is mounted below it.</summary>
    public bool NonRecursive { get; init; }

    /// <summary>A bind's owners are shown through the container's user namespace too (<c>-v …:idmap</c>), as a volume's are.</summary>
    public bool IdMap { get; init; }

    /// <summary>Don't fill an empty volume from the image.</summary>
    public bool NoCopy { get; init; }

    /// <summary>Labels of the volume, should it have to be made.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>A tmpfs's options, complete.</summary>
    public IReadOnlyList<string>? TmpfsOptions { get; init; }

    /// <summary>The owners on disk are those seen inside.</summary>
    public bool HasMappedOwners(bool inUserNamespace) => inUserNamespace && (Type == MountType.Volume || (Type == MountType.Bind && IdMap));

    /// <summary>The volume is filled from the image's directory at <see cref="Destination"/> while it is empty.</summary>
    [JsonIgnore]
    public bool CopyUp => Type == MountType.Volume && !NoCopy;
}
