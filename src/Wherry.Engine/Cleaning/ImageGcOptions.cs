namespace Wherry.Engine.Cleaning;

/// <summary>When images are removed without being asked for; by default never.</summary>
public sealed record ImageGcOptions
{
    /// <summary>Images that nothing has used for longer go; null leaves them alone whatever their age.</summary>
    public TimeSpan? UnusedFor { get; init; }

    /// <summary>With less free space than this on the data root's file system unused images go, the longest unused first; null lets it fill.</summary>
    public FreeSpace? KeepFree { get; init; }

    /// <summary>Also images with a tag; otherwise only those that lost theirs.</summary>
    public bool Tagged { get; init; }

    /// <summary>Time between two looks.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromMinutes(10);

    public bool IsOff => UnusedFor is null && KeepFree is null;
}

/// <summary>Free space to keep: bytes, or a share of the file system's size.</summary>
/// <param name="Bytes">0 where <paramref name="Percent"/> says it.</param>
/// <param name="Percent">Of the file system's size; 0 where <paramref name="Bytes"/> says it.</param>
public readonly record struct FreeSpace(long Bytes, int Percent)
{
    public long Of(long total) => Bytes > 0 ? Bytes : total / 100 * Percent;
}
