using Wherry.Linux.FileTrees;
using Wherry.Storage.Trees;

namespace Wherry.Storage.Drivers;

/// <summary>Plain copies, which any file system can hold; where it can share blocks between files, they do.</summary>
internal sealed class VfsDriver(string root) : TreeDriver
{
    internal const string DriverName = "vfs";

    internal override string Name => DriverName;

    internal override IReadOnlyList<KeyValuePair<string, string>> Status { get; } =
    [
        new("Backing Filesystem", FileSystemNames.Of(root)),
    ];

    protected override void MakeTree(string path) => Directory.CreateDirectory(path);

    protected override void CopyTree(string source, string path)
    {
        Directory.CreateDirectory(path);
        TreeCopy.Copy(source, path);
    }

    protected override void RemoveTree(string path) => FileTree.RemoveTree(path);
}
