using System.Globalization;
using System.Text;
using Wherry.Api.Contracts.Containers;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.FileTrees;

namespace Wherry.Engine.Files;

/// <summary>
/// One file of a container, found as <c>cp</c> asks for it: links on the way are followed inside the root, a link at the
/// end is the file itself unless the path ends with a slash or a dot.
/// </summary>
internal sealed class PathInContainer : IDisposable
{
    private const long GoDirectory = 1L << 31;
    private const long GoSymlink = 1 << 27;
    private const long GoDevice = 1 << 26;
    private const long GoFifo = 1 << 25;
    private const long GoSocket = 1 << 24;
    private const long GoSetUid = 1 << 23;
    private const long GoSetGid = 1 << 22;
    private const long GoCharacterDevice = 1 << 21;
    private const long GoSticky = 1 << 20;

    private PathInContainer(FileDescriptor directory, byte[] name, byte[] member, ContainerPathStat status)
    {
        Directory = directory;
        Name = name;
        Member = member;
        Status = status;
    }

    /// <summary>Where it lies, opened for reading; owned by this object.</summary>
    public FileDescriptor Directory { get; }

    /// <summary>Its name there; empty when it is that directory.</summary>
    public byte[] Name { get; }

    /// <summary>Its name in an archive.</summary>
    public byte[] Member { get; }

    public ContainerPathStat Status { get; }

    public void Dispose() => Directory.Dispose();

    /// <exception cref="WherryException">NotFound; InvalidParameter.</exception>
    public static PathInContainer Find(ContainerRoot root, string path)
    {
        if (path.Contains('\0'))
        {
            throw WherryException.Invalid("a path can't hold a NUL byte");
        }

        var clean = ContainerPath.Clean(path);
        var itself = clean == "/" || ContainerPath.FollowsLast(path);
        var directory = root.OpenDirectory(itself ? clean : ContainerPath.Parent(clean), path);
        try
        {
            var name = itself ? [] : Encoding.UTF8.GetBytes(ContainerPath.Name(clean));
            var errno = FileTree.GetStatus(directory, name, out var status);
            if (errno != 0)
            {
                throw ContainerRoot.Failure(path, errno);
            }

            // What Go's filepath.Base makes of the path: clients build on it.
            var shown = clean == "/" ? "/" : ContainerPath.Name(clean);
            var member = path.EndsWith("/.", StringComparison.Ordinal) || path == "." ? "." : shown;
            return new PathInContainer(directory, name, Encoding.UTF8.GetBytes(member), Describe(root, clean, shown, directory, name, status));
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    private static ContainerPathStat Describe(ContainerRoot root, string path, string shown, FileDescriptor directory, byte[] name, FileStatus status)
    {
        var target = "";
        if (status.Kind == FileKind.Symlink && FileTree.ReadLink(directory, name, out var text) == 0)
        {
            target = root.TargetOf(path, Encoding.UTF8.GetString(text));
        }

        var modified = DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(status.Modified.Seconds, -62_135_596_800, 253_402_300_799)).UtcDateTime;
        return new ContainerPathStat
        {
            Name = shown,
            Size = status.Size,
            Mode = GoMode(status),
            Modified = modified.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture)
                + (status.Modified.Nanoseconds == 0 ? "" : "." + status.Modified.Nanoseconds.ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0')) + "Z",
            LinkTarget = target,
        };
    }

    private static long GoMode(FileStatus status) =>
        (status.Permissions & 0x1FF)
        | ((status.Permissions & 0x800) != 0 ? GoSetUid : 0)
        | ((status.Permissions & 0x400) != 0 ? GoSetGid : 0)
        | ((status.Permissions & 0x200) != 0 ? GoSticky : 0)
        | status.Kind switch
        {
            FileKind.Directory => GoDirectory,
            FileKind.Symlink => GoSymlink,
            FileKind.Fifo => GoFifo,
            FileKind.Socket => GoSocket,
            FileKind.BlockDevice => GoDevice,
            FileKind.CharacterDevice => GoDevice | GoCharacterDevice,
            _ => 0,
        };
}
