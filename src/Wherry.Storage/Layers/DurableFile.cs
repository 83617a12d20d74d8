using System.Text;
using Wherry.Linux;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Layers;

/// <summary>Small records that are either the old or the new ones after a crash, never something between.</summary>
public static class DurableFile
{
    /// <summary>Prefix of files that are not yet, or no more, what their directory holds.</summary>
    public const string TemporaryPrefix = ".tmp-";

    /// <summary>Writes beside the target, waits for the disk, renames, waits for the directory.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var directory = Path.GetDirectoryName(path)!;
        using var parent = FileTree.OpenDirectory(directory);
        var temporary = Encoding.UTF8.GetBytes($"{TemporaryPrefix}{Guid.NewGuid():N}");
        try
        {
            Check(FileTree.OpenName(parent, temporary, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x180, out var file), path);
            using (file)
            {
                Check(FileTree.WriteAll(file, content), path);
                Check(FileTree.Sync(file), path);
            }
            Check(FileTree.Rename(parent, temporary, parent, Encoding.UTF8.GetBytes(Path.GetFileName(path))), path);
        }
        catch
        {
            _ = FileTree.Unlink(parent, temporary, isDirectory: false);
            throw;
        }
        Check(FileTree.Sync(parent), path);
    }

    /// <summary>Removes a record for good; false when there was none.</summary>
    public static bool Delete(string path)
    {
        using var parent = FileTree.OpenDirectory(Path.GetDirectoryName(path)!);
        var errno = FileTree.Unlink(parent, Encoding.UTF8.GetBytes(Path.GetFileName(path)), isDirectory: false);
        if (errno == Errno.ENOENT)
            return false;
        Check(errno, path);
        Check(FileTree.Sync(parent), path);
        return true;
    }

    /// <summary>Removes what a crash left of unfinished writes in a directory. What can't be removed now waits for the next start.</summary>
    public static void RemoveLeftovers(string directory)
    {
        foreach (var left in Directory.EnumerateFileSystemEntries(directory, TemporaryPrefix + "*"))
        {
            try
            {
                FileTree.RemoveTree(left);
            }
            catch (LinuxException)
            {
                // It has no name that anyone looks for, and is no reason not to start.
            }
        }
    }

    private static void Check(int errno, string path)
    {
        if (errno != 0)
            throw new LinuxException($"write {path}", errno);
    }
}
