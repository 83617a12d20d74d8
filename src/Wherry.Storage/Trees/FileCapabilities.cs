using System.Buffers.Binary;
using Wherry.Linux.Processes;

namespace Wherry.Storage.Trees;

/// <summary>
/// File capabilities (capabilities(7), the attribute security.capability): from outside a user namespace those of a file
/// inside it are told by version 3, which has the id of that namespace's root; inside it, and in archives, that root is 0
/// and they are version 2.
/// </summary>
internal static class FileCapabilities
{
    private const string Attribute = "security.capability";
    private const uint RevisionMask = 0xFF00_0000;
    private const uint Revision2 = 0x0200_0000;
    private const uint Revision3 = 0x0300_0000;
    private const int Size2 = 20;
    private const int Size3 = 24;

    /// <summary>An attribute read outside, as it is seen inside.</summary>
    internal static byte[] SeenInside(IdMap ids, string attribute, byte[] value)
    {
        if (attribute != Attribute || value.Length != Size3 || IdRange.ToInside(ids.Users, BinaryPrimitives.ReadUInt32LittleEndian(value.AsSpan(Size2))) != 0)
            return value;
        return WithRevision(value.AsSpan(0, Size2), Revision2);
    }

    /// <summary>An attribute out of an archive, as it has to be written from outside.</summary>
    internal static byte[] Outside(IdMap ids, string attribute, byte[] value)
    {
        if (attribute != Attribute || value.Length != Size2 || ids.Root is not var (root, _))
            return value;
        var rootId = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(rootId, root);
        return WithRevision([.. value, .. rootId], Revision3);
    }

    private static byte[] WithRevision(ReadOnlySpan<byte> value, uint revision)
    {
        var changed = value.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(changed, (BinaryPrimitives.ReadUInt32LittleEndian(changed) & ~RevisionMask) | revision);
        return changed;
    }
}
