namespace Wherry.Storage.Trees;

/// <summary>What a container did to a path of its image; the values are the API's.</summary>
public enum ChangeKind
{
    Modified = 0,
    Added = 1,
    Deleted = 2,
}

/// <param name="Path">Without a slash in front, components joined by <c>/</c>.</param>
/// <param name="Kind">What happened to it.</param>
public readonly record struct TreeChange(byte[] Path, ChangeKind Kind);
