using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Linux.Sockets;

namespace Wherry.Shim.Oci.Containers;

/// <summary>
/// A container's directory below the root: its state, a copy of its configuration, its seccomp filter ready for the
/// kernel, and, until it is started, the socket at which its first process waits. Whoever changes the container holds the directory's lock; it
/// ends with the command, however that ends.
/// </summary>
public sealed class StateDirectory : IDisposable
{
    public const string StateFile = "state.json";
    public const string ConfigFile = "config.json";
    public const string FilterFile = "seccomp.bpf";
    public const string StartSocket = "start.sock";

    private const int OwnerOnly = 0x180; // 0600
    private const int RootMode = 0x1c0; // 0700
    private const int DirectoryMode = 0x1c9; // 0711
    private const int LargestFile = 16 * 1024 * 1024;
    private const string Partial = ".partial";

    private readonly FileDescriptor _directory;

    private StateDirectory(string path, FileDescriptor directory)
    {
        Path = path;
        _directory = directory;
    }

    public string Path { get; }

    /// <summary>Makes the directory, which takes the id, and its lock.</summary>
    /// <exception cref="WherryException">The id is taken.</exception>
    public static StateDirectory Make(string root, string id)
    {
        var path = System.IO.Path.Combine(root, id);
        var made = DirectorySyscalls.TryMake(path, DirectoryMode);
        if (made == -Errno.ENOENT)
        {
            DirectorySyscalls.MakeWithParents(root, RootMode);
            made = DirectorySyscalls.TryMake(path, DirectoryMode);
        }

        if (made == -Errno.EEXIST)
        {
            throw WherryException.Conflict("container with given ID already exists");
        }

        Syscall.Check(made, $"make the state directory {path} (--root, or for ordinary users XDG_RUNTIME_DIR, says where it is to be)");
        var directory = new StateDirectory(path, FileSyscalls.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory));
        directory.Lock();
        return directory;
    }

    /// <summary>Null when there is no container of that id.</summary>
    public static StateDirectory? TryOpen(string root, string id)
    {
        var path = System.IO.Path.Combine(root, id);
        try
        {
            return new StateDirectory(path, FileSyscalls.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory));
        }
        catch (LinuxException e) when (e.ErrorNumber is Errno.ENOENT or Errno.ENOTDIR)
        {
            return null;
        }
    }

    /// <summary>Waits for the lock, which others hold for as long as a command takes.</summary>
    /// <exception cref="WherryException">Not in ten seconds.</exception>
    public void Lock()
    {
        var end = Environment.TickCount64 + 10_000;
        while (!TryLock())
        {
            if (Environment.TickCount64 >= end)
            {
                throw WherryException.Conflict("another command is changing this container; it has been for ten seconds");
            }

            Thread.Sleep(5);
        }
    }

    /// <summary>False when another command holds it.</summary>
    public bool TryLock() => DirectorySyscalls.TryLock(_directory);

    public void Unlock() => DirectorySyscalls.Unlock(_directory);

    /// <summary>The state as it was last written; null before the first time.</summary>
    public ContainerState? TryReadState() => TryRead(StateFile) is { } text ? ContainerState.Parse(text) : null;

    public void WriteState(ContainerState state) => Write(StateFile, state.ToJson());

    /// <summary>A small file's content; null when there is none.</summary>
    public byte[]? TryRead(string name)
    {
        var fd = FileSyscalls.TryOpen(_directory.Number, name, OpenFlags.ReadOnly | OpenFlags.NoFollow, ResolveFlags.Beneath);
        if (fd == -Errno.ENOENT)
        {
            return null;
        }

        using var file = new FileDescriptor((int)Syscall.Check(fd, $"open {Path}/{name}"));
        return FileSyscalls.ReadToEnd(file, LargestFile);
    }

    /// <summary>Replaces a file as a whole: a reader sees it as it was or as it is.</summary>
    public void Write(string name, ReadOnlySpan<byte> content)
    {
        using (var file = FileSyscalls.OpenAt(_directory, name + Partial, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.NoFollow, ResolveFlags.Beneath, OwnerOnly))
        {
            while (content.Length > 0)
            {
                content = content[(int)Syscall.Check(FileSyscalls.Write(file.Number, content), $"write {Path}/{name}")..];
            }
        }

        DirectorySyscalls.Rename(_directory, name + Partial, name);
    }

    /// <summary>Listens where <see cref="TryConnect"/> connects to. By descriptor, as a path may be too long for a socket's address.</summary>
    public FileDescriptor Listen() => UnixSockets.ListenForMessages(SocketPath, backlog: 16);

    /// <summary>Connects to the waiting first process; null when none waits.</summary>
    /// <param name="wait">Wait while many others have connected.</param>
    /// <param name="busy">Somebody does wait there, but so many have connected that it takes no more now.</param>
    public FileDescriptor? TryConnect(bool wait, out bool busy)
    {
        var result = UnixSockets.TryConnectForMessages(SocketPath, wait, out var connection);
        busy = result == -Errno.EAGAIN;
        return result is 0 or -Errno.EAGAIN or -Errno.ENOENT or -Errno.ECONNREFUSED
            ? connection
            : throw new LinuxException("reach the container's first process", -result);
    }

    public void RemoveSocket() => FileSyscalls.TryUnlink(_directory, StartSocket);

    /// <summary>Somebody has removed it since it was opened; what is at its path now is another's.</summary>
    public bool IsGone => FileStatus.Of(_directory).Links == 0;

    /// <summary>Removes the directory, its state last, so that what a crash leaves can be removed again.</summary>
    public void Remove()
    {
        // A second descriptor: reading the names moves the position of the first.
        using (var listing = FileSyscalls.Open(FileSyscalls.ProcPath(_directory), OpenFlags.ReadOnly | OpenFlags.Directory))
        {
            foreach (var name in DirectoryEntries.Read(listing))
            {
                if (name != StateFile)
                {
                    FileSyscalls.TryUnlink(_directory, name);
                }
            }
        }

        FileSyscalls.TryUnlink(_directory, StateFile);
        var result = DirectorySyscalls.TryRemove(Path);
        if (result != -Errno.ENOENT)
        {
            Syscall.Check(result, $"remove {Path}");
        }
    }

    public void Dispose() => _directory.Dispose();

    private string SocketPath => $"{FileSyscalls.ProcPath(_directory)}/{StartSocket}";
}
