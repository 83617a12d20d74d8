using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Linux.Processes;

namespace Wherry.Storage.Trees;

/// <summary>
/// How a deletion is told: by names in a layer's archive, by marks in an overlay's directory. Where a file system refuses
/// these marks, the same names tell it in a directory too, as fuse-overlayfs reads them.
/// </summary>
internal static class OverlayMarks
{
    /// <summary>Of a file that hides another of the rest of its name (image-spec, layer.md, "Whiteouts").</summary>
    internal static ReadOnlySpan<byte> WhiteoutPrefix => ".wh."u8;

    /// <summary>A file that hides all that lower layers have in its directory.</summary>
    internal static ReadOnlySpan<byte> OpaqueMarker => ".wh..wh..opq"u8;

    /// <summary>Names that AUFS left in old layers; they mean nothing elsewhere.</summary>
    internal static ReadOnlySpan<byte> AufsPrefix => ".wh..wh."u8;

    /// <summary>In a user namespace overlay keeps its marks where those without rights on the host may write them (its option <c>userxattr</c>).</summary>
    internal static ReadOnlySpan<byte> OpaqueAttribute => UserNamespace.IsInside ? "user.overlay.opaque"u8 : "trusted.overlay.opaque"u8;

    internal static ReadOnlySpan<byte> OpaqueValue => "y"u8;

    /// <summary>What fuse-overlayfs writes instead, whoever runs it.</summary>
    private static ReadOnlySpan<byte> FuseOpaqueAttribute => "user.fuseoverlayfs.opaque"u8;

    /// <summary>Whether a directory hides all that lower layers have in it.</summary>
    /// <param name="parent">Where it lies.</param>
    /// <param name="name">Its name there; empty for <paramref name="parent"/> itself.</param>
    internal static bool IsOpaque(FileDescriptor parent, ReadOnlySpan<byte> name) =>
        FileTree.GetAttribute(parent, name, OpaqueAttribute) is [(byte)'y']
        || FileTree.GetAttribute(parent, name, FuseOpaqueAttribute) is [(byte)'y']
        || FileTree.GetStatus(parent, name.IsEmpty ? OpaqueMarker : [.. name, (byte)'/', .. OpaqueMarker], out _) == 0;

    /// <summary>Whether a file beside it hides what lower layers have under a name that its own directory does not have.</summary>
    internal static bool IsHidden(FileDescriptor directory, ReadOnlySpan<byte> name) =>
        FileTree.GetStatus(directory, [.. WhiteoutPrefix, .. name], out _) == 0;

    /// <summary>Whether a name in an opaque directory says no more than that: fuse-overlayfs writes the marker, and a whiteout that becomes it in an archive.</summary>
    internal static bool TellsOpaque(ReadOnlySpan<byte> name) =>
        name.SequenceEqual(OpaqueMarker) || name.SequenceEqual(OpaqueMarker[WhiteoutPrefix.Length..]);

    /// <summary>Whether a name in an overlay's directory is no file's but a mark.</summary>
    internal static bool IsMark(ReadOnlySpan<byte> name) => name.StartsWith(WhiteoutPrefix);

    /// <summary>
    /// Whether an extended attribute belongs to the file. Overlay's own marks would let an archive forge merges,
    /// and labels of the host's security modules mean nothing on another host.
    /// </summary>
    internal static bool IsPortable(string attribute) =>
        !attribute.StartsWith("trusted.overlay.", StringComparison.Ordinal)
        && !attribute.StartsWith("user.overlay.", StringComparison.Ordinal)
        && !attribute.StartsWith("user.fuseoverlayfs.", StringComparison.Ordinal)
        && (!attribute.StartsWith("security.", StringComparison.Ordinal) || attribute == "security.capability");
}
