using Wherry.Linux.FileTrees;
using Wherry.Storage.Layers;

namespace Wherry.Images.Bootstrap;

/// <summary>A directory for one bootstrap, removed with all in it when disposed, or at the next start of the engine.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    internal TemporaryDirectory(string parent)
    {
        Path = System.IO.Path.Combine(parent, $"{DurableFile.TemporaryPrefix}{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path);
        // apt downloads as its own user, who must get in.
        using var directory = FileTree.OpenDirectory(Path);
        _ = FileTree.SetMode(directory, 0x1ED);
    }

    internal string Path { get; }

    /// <summary>A new directory in it.</summary>
    internal string Make(string name)
    {
        var path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(path);
        return path;
    }

    public void Dispose() => FileTree.RemoveTree(Path);
}
