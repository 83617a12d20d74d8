namespace Wherry.Linux.Files;

/// <summary>
/// A directory that paths are resolved inside of, as if it were the root: whatever symbolic links, <c>..</c>
/// or races its contents hold, nothing outside is reached. Owns its descriptor.
/// </summary>
public sealed class RootDirectory : IDisposable
{
    private const int DeepestPath = 255;
    private const int MostLinks = 40;

    public RootDirectory(FileDescriptor directory) => Descriptor = directory;

    public FileDescriptor Descriptor { get; }

    public static RootDirectory Open(string path) => new(FileSyscalls.Open(path, OpenFlags.PathOnly | OpenFlags.Directory));

    /// <summary>Opens what a path leads to; null when there is nothing.</summary>
    /// <exception cref="LinuxException">It is there but could not be opened.</exception>
    public FileDescriptor? TryOpen(string path, int flags)
    {
        var fd = FileSyscalls.TryOpen(Descriptor.Number, Inside(path), flags, ResolveFlags.InRoot | ResolveFlags.NoMagicLinks);
        return fd switch
        {
            >= 0 => new FileDescriptor(fd),
            -Errno.ENOENT or -Errno.ENOTDIR => null,
            _ => throw new LinuxException($"open {path} inside the container's root", -fd),
        };
    }

    /// <summary>The path, which exists, is spelled without symbolic links.</summary>
    public bool LeadsThroughNoLink(string path)
    {
        using var file = TryOpenWithoutLinks(path);
        return file is not null;
    }

    /// <summary>Opens (<c>O_PATH</c>) what is at a path that is spelled without symbolic links; null when it is not, or there is nothing.</summary>
    public FileDescriptor? TryOpenWithoutLinks(string path)
    {
        var fd = FileSyscalls.TryOpen(Descriptor.Number, Inside(path), OpenFlags.PathOnly, ResolveFlags.InRoot | ResolveFlags.NoSymlinks);
        return fd < 0 ? null : new FileDescriptor(fd);
    }

    /// <summary>Opens a directory (<c>O_PATH</c>), making it and those above where they are missing.</summary>
    public FileDescriptor OpenOrMakeDirectory(string path, int mode = 0x1ed) => OpenOrMakeDirectory(path, mode, MostLinks);

    private FileDescriptor OpenOrMakeDirectory(string path, int mode, int links)
    {
        if (TryOpen(path, OpenFlags.PathOnly | OpenFlags.Directory) is { } existing)
        {
            return existing;
        }

        var names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (names.Length > DeepestPath)
        {
            throw Errors.WherryException.Invalid($"{path}: more than {DeepestPath} levels deep");
        }

        var reached = "";
        FileDescriptor? current = null;
        foreach (var name in names)
        {
            if (name == "..")
            {
                current?.Dispose();
                throw Errors.WherryException.Invalid($"{path}: a path to be made may not hold \"..\"");
            }

            // Each step is resolved anew from the root, so a link part-way (say /var/run) is followed inside it.
            reached += "/" + name;
            var next = TryOpen(reached, OpenFlags.PathOnly | OpenFlags.Directory) ?? Make(current ?? Descriptor, name, reached, mode, links);
            current?.Dispose();
            current = next;
        }

        return current ?? throw Errors.WherryException.Invalid($"{path}: not a path inside the root");
    }

    /// <summary>Opens a file (<c>O_PATH</c>), making an empty one and the directories above where they are missing.</summary>
    public FileDescriptor OpenOrMakeFile(string path, int mode = 0x1a4) => OpenOrMakeFile(path, mode, MostLinks);

    private FileDescriptor OpenOrMakeFile(string path, int mode, int links)
    {
        if (TryOpen(path, OpenFlags.PathOnly) is { } existing)
        {
            return existing;
        }

        var (parentPath, name) = Split(path);
        using var parent = OpenOrMakeDirectory(parentPath);
        var made = FileSyscalls.TryOpen(parent.Number, name, OpenFlags.Create | OpenFlags.WriteOnly | OpenFlags.NoFollow, ResolveFlags.Beneath, mode);
        if (made >= 0)
        {
            new FileDescriptor(made).Dispose();
        }

        if (TryOpen(path, OpenFlags.PathOnly) is { } file)
        {
            return file;
        }

        // As an /etc/resolv.conf that leads into a /run which nobody has filled yet: what it leads to is made.
        return made is -Errno.ELOOP && links > 0
            ? OpenOrMakeFile(Target(path, FileSyscalls.ReadLink(parent, name)), mode, links - 1)
            : throw new LinuxException($"make the file {path} inside the container's root", made < 0 ? -made : Errno.ENOENT);
    }

    /// <summary>The directory part and the last name of a path; the root's own is refused.</summary>
    public static (string Directory, string Name) Split(string path)
    {
        var trimmed = path.TrimEnd('/');
        var slash = trimmed.LastIndexOf('/');
        var name = trimmed[(slash + 1)..];
        return name is "" or "." or ".."
            ? throw Errors.WherryException.Invalid($"{path}: does not name a file")
            : (slash <= 0 ? "/" : trimmed[..slash], name);
    }

    public void Dispose() => Descriptor.Dispose();

    private static string Inside(string path) => path.Length == 0 ? "." : path;

    private FileDescriptor Make(FileDescriptor parent, string name, string reached, int mode, int links)
    {
        var made = FileSyscalls.TryMakeDirectory(parent, name, mode);
        if (made is < 0 and not -Errno.EEXIST)
        {
            throw new LinuxException($"make the directory {reached} inside the container's root", -made);
        }

        if (TryOpen(reached, OpenFlags.PathOnly | OpenFlags.Directory) is { } directory)
        {
            return directory;
        }

        // It exists, and yet leads nowhere: a link whose target, inside the root, is still to be made.
        if (links == 0 || FileStatus.At(parent, name) is not { Type: FileMode.SymbolicLink })
        {
            throw new LinuxException($"make the directory {reached} inside the container's root", links == 0 ? Errno.ELOOP : Errno.ENOTDIR);
        }

        return OpenOrMakeDirectory(Target(reached, FileSyscalls.ReadLink(parent, name)), mode, links - 1);
    }

    // Purely by name, which is safe whatever the names are: the result is resolved inside the root like any other.
    private static string Target(string link, string text)
    {
        var names = new List<string>();
        foreach (var name in (text.StartsWith('/') ? text : $"{link}/../{text}").Split('/'))
        {
            if (name == "..")
            {
                names.RemoveRange(Math.Max(names.Count - 1, 0), Math.Min(names.Count, 1));
            }
            else if (name is not ("" or "."))
            {
                names.Add(name);
            }
        }

        return "/" + string.Join('/', names);
    }
}
