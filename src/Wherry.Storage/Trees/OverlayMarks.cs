using Wherry.Linux.Processes;

namespace Wherry.Storage.Trees;

/// <summary>How a deletion is told: by names in a layer's archive, by marks in an overlay's directory.</summary>
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

    /// <summary>
    /// Whether an extended attribute belongs to the file. Overlay's own marks would let an archive forge merges,
    /// and labels of the host's security modules mean nothing on another host.
    /// </summary>
    internal static bool IsPortable(string attribute) =>
        !attribute.StartsWith("trusted.overlay.", StringComparison.Ordinal)
        && !attribute.StartsWith("user.overlay.", StringComparison.Ordinal)
        && (!attribute.StartsWith("security.", StringComparison.Ordinal) || attribute == "security.capability");
}
