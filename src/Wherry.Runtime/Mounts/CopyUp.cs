using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using FileMode = Wherry.Linux.Files.FileMode;

namespace Wherry.Runtime.Mounts;

/// <summary>
/// Fills a new volume with what the image has at its mount point: contents with owner, mode, times, extended
/// attributes and hard links. Works by descriptor relative to two directories, following no link.
/// </summary>
public sealed unsafe class CopyUp
{
    private const int DeepestTree = 256;
    private const int EmptyPath = 0x1000;
    private const int NoFollow = 0x100;
    private const int ReadDirectory = OpenFlags.ReadOnly;

    private readonly Dictionary<(uint, uint, ulong), string> _links = [];
    private readonly FileDescriptor _destination;

    private CopyUp(FileDescriptor destination) => _destination = destination;

    /// <summary>Copies when the volume is empty and the image has a directory there; otherwise does nothing.</summary>
    /// <param name="root">The container's.</param>
    /// <param name="containerPath">Where the volume will be.</param>
    /// <param name="volume">Its directory.</param>
    public static void Fill(RootDirectory root, string containerPath, FileDescriptor volume)
    {
        using var source = root.TryOpen(containerPath, ReadDirectory | OpenFlags.Directory);
        if (source is null)
        {
            return;
        }

        using var destination = FileSyscalls.OpenAt(volume, ".", ReadDirectory | OpenFlags.Directory, ResolveFlags.Beneath);
        if (DirectoryEntries.Read(destination).Count == 0)
        {
            new CopyUp(destination).CopyDirectory(source, destination, "", 0);
        }
    }

    /// <summary>Copies one directory's contents, and its own attributes, into another that is empty.</summary>
    public static void Copy(FileDescriptor source, FileDescriptor destination) => new CopyUp(destination).CopyDirectory(source, destination, "", 0);

    private void CopyDirectory(FileDescriptor source, FileDescriptor destination, string path, int depth)
    {
        if (depth > DeepestTree)
        {
            throw WherryException.Invalid($"{path}: more than {DeepestTree} levels deep");
        }

        foreach (var name in DirectoryEntries.Read(source))
        {
            CopyEntry(source, destination, name, $"{path}{name}", depth);
        }

        // Last, since filling it changed its times.
        CopyAttributes(source, destination, FileStatus.Of(source));
    }

    private void CopyEntry(FileDescriptor source, FileDescriptor destination, string name, string path, int depth)
    {
        if (FileStatus.At(source, name) is not { } status)
        {
            return;
        }

        var key = (status.OnMajor, status.OnMinor, status.Inode);
        if (!status.IsDirectory && status.Links > 1 && _links.TryGetValue(key, out var first))
        {
            Link(first, destination, name);
            return;
        }

        switch (status.Type)
        {
            case FileMode.Directory:
                Check(FileSyscalls.TryMakeDirectory(destination, name, 0x1c0), path);
                using (var from = FileSyscalls.OpenAt(source, name, ReadDirectory | OpenFlags.Directory | OpenFlags.NoFollow, ResolveFlags.Beneath))
                using (var to = FileSyscalls.OpenAt(destination, name, ReadDirectory | OpenFlags.Directory | OpenFlags.NoFollow, ResolveFlags.Beneath))
                {
                    CopyDirectory(from, to, path + "/", depth + 1);
                }

                return;
            case FileMode.Regular:
                using (var from = FileSyscalls.OpenAt(source, name, OpenFlags.ReadOnly | OpenFlags.NoFollow, ResolveFlags.Beneath))
                using (var to = FileSyscalls.OpenAt(destination, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, ResolveFlags.Beneath, 0x180))
                {
                    CopyContents(from, to, path);
                    CopyAttributes(from, to, status);
                }

                break;
            case FileMode.SymbolicLink:
                Check(FileSyscalls.TryMakeSymbolicLink(FileSyscalls.ReadLink(source, name), destination, name), path);
                CopyOwnerAndTimes(destination, name, status);
                break;
            default:
                Check(FileSyscalls.TryMakeNode(destination, name, status.Mode, status.DeviceMajor, status.DeviceMinor), path);
                CopyOwnerAndTimes(destination, name, status);
                break;
        }

        if (status.Links > 1)
        {
            _links[key] = path;
        }
    }

    private void Link(string first, FileDescriptor destination, string name)
    {
        using var existing = FileSyscalls.OpenAt(_destination, first, OpenFlags.PathOnly | OpenFlags.NoFollow, ResolveFlags.Beneath);
        using var from = new NativeText("");
        using var to = new NativeText(name);
        Check((int)Syscall.Call(SyscallNumber.Linkat, existing.Number, from.Address, destination.Number, to.Address, EmptyPath), name);
    }

    private static void CopyContents(FileDescriptor from, FileDescriptor to, string path)
    {
        const int chunk = 1 << 30;
        while (true)
        {
            var copied = Syscall.Retry(SyscallNumber.CopyFileRange, from.Number, 0, to.Number, 0, chunk);
            if (copied == 0)
            {
                return;
            }

            if (copied is -Errno.EXDEV or -Errno.EINVAL or -Errno.EOPNOTSUPP or -Errno.ENOSYS)
            {
                CopyByBuffer(from, to, path);
                return;
            }

            Syscall.Check(copied, $"copy {path} into the volume");
        }
    }

    private static void CopyByBuffer(FileDescriptor from, FileDescriptor to, string path)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = (int)Syscall.Check(FileSyscalls.Read(from.Number, buffer), $"read {path}")) > 0)
        {
            for (var written = 0; written < read;)
            {
                written += (int)Syscall.Check(FileSyscalls.Write(to.Number, buffer.AsSpan(written, read - written)), $"copy {path} into the volume");
            }
        }
    }

    private static void CopyAttributes(FileDescriptor from, FileDescriptor to, FileStatus status)
    {
        // Owner before mode and attributes: changing it clears set-id bits and file capabilities.
        FileSyscalls.SetOwner(to, status.Uid, status.Gid);
        Syscall.Check(Syscall.Call(SyscallNumber.Fchmod, to.Number, status.Mode & 0xfff), "set a mode in the volume");
        ExtendedAttributes.Copy(from, to);
        var times = stackalloc long[] { status.AccessSeconds, status.AccessNanoseconds, status.ModifySeconds, status.ModifyNanoseconds };
        Syscall.Call(SyscallNumber.Utimensat, to.Number, 0, (nint)times, 0);
    }

    private static void CopyOwnerAndTimes(FileDescriptor directory, string name, FileStatus status)
    {
        using var text = new NativeText(name);
        Check((int)Syscall.Call(SyscallNumber.Fchownat, directory.Number, text.Address, (nint)status.Uid, (nint)status.Gid, NoFollow), name);
        if (status.Type != FileMode.SymbolicLink)
        {
            Check((int)Syscall.Call(SyscallNumber.Fchmodat, directory.Number, text.Address, status.Mode & 0xfff), name);
        }

        var times = stackalloc long[] { status.AccessSeconds, status.AccessNanoseconds, status.ModifySeconds, status.ModifyNanoseconds };
        Syscall.Call(SyscallNumber.Utimensat, directory.Number, text.Address, (nint)times, NoFollow);
    }

    private static void Check(int result, string path)
    {
        if (result < 0)
        {
            throw new LinuxException($"copy {path} into the volume", -result);
        }
    }
}
