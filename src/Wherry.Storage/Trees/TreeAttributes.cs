using System.Text;
using Wherry.Linux;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Trees;

/// <summary>Makes one file look like another.</summary>
internal static class TreeAttributes
{
    /// <summary>Gives an open file another's owner, mode, attributes and time.</summary>
    internal static void Apply(FileDescriptor file, MergedEntry like)
    {
        Check(FileTree.SetOwner(file, like.Status.Uid, like.Status.Gid), "set owner");
        Check(FileTree.SetMode(file, like.Status.Permissions), "set mode");
        foreach (var (attribute, value) in like.Attributes)
            Check(FileTree.SetAttribute(file, Encoding.UTF8.GetBytes(attribute), value), $"set attribute {attribute}");
        Check(FileTree.SetTime(file, like.Status.Modified), "set time");
    }

    private static void Check(int errno, string doing)
    {
        if (errno != 0)
            throw new LinuxException(doing, errno);
    }
}
