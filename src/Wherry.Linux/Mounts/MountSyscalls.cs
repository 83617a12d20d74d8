using Wherry.Linux.Files;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Mounts;

/// <summary>Mounting, by descriptor wherever the kernel lets us.</summary>
public static unsafe class MountSyscalls
{
    private const int EmptyPath = 0x1000;
    private const int RecursiveTree = 0x8000;
    private const int OpenTreeClone = 1;
    private const int MoveFromEmptyPath = 4;
    private const int MoveToEmptyPath = 0x40;
    private const int Detach = 2;
    private const int FsConfigSetFlag = 0;
    private const int FsConfigSetString = 1;
    private const int FsConfigCreate = 6;
    private const int FsCloseOnExec = 1;
    private const ulong IdMapAttribute = 0x100000;

    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static void Mount(string? source, string target, string? type, MountFlags flags, string? data)
    {
        var result = TryMount(source, target, type, flags, data);
        if (result < 0)
        {
            throw new LinuxException($"mount {type ?? source ?? ""} on {target}", -result);
        }
    }

    /// <summary>mount(2); minus errno on failure.</summary>
    public static int TryMount(string? source, string target, string? type, MountFlags flags, string? data)
    {
        using var sourceText = new NativeText(source);
        using var targetText = new NativeText(target);
        using var typeText = new NativeText(type);
        using var dataText = new NativeText(data);
        return (int)Syscall.Call(SyscallNumber.Mount, sourceText.Address, targetText.Address, typeText.Address, (nint)flags, dataText.Address);
    }

    /// <summary>A copy of the mount a path lies on, rooted at that path and attached nowhere; gone when the descriptor is closed.</summary>
    public static FileDescriptor CloneTree(string path, bool recursive)
    {
        using var text = new NativeText(path);
        return new((int)Syscall.Check(
            Syscall.Call(SyscallNumber.OpenTree, FileSyscalls.WorkingDirectory, text.Address, OpenTreeClone | OpenFlags.CloseOnExec | (recursive ? RecursiveTree : 0)),
            $"clone the mount of {path}"));
    }

    /// <summary>The same for an open file.</summary>
    public static FileDescriptor CloneTree(FileDescriptor file, bool recursive)
    {
        using var text = new NativeText("");
        return new((int)Syscall.Check(
            Syscall.Call(SyscallNumber.OpenTree, file.Number, text.Address, EmptyPath | OpenTreeClone | OpenFlags.CloseOnExec | (recursive ? RecursiveTree : 0)),
            "clone the mount of an open file"));
    }

    /// <summary>Attaches a detached mount on an open file or directory.</summary>
    public static void Attach(FileDescriptor mount, FileDescriptor target, string what)
    {
        using var text = new NativeText("");
        Syscall.Check(
            Syscall.Call(SyscallNumber.MoveMount, mount.Number, text.Address, target.Number, text.Address, MoveFromEmptyPath | MoveToEmptyPath),
            $"attach the mount of {what}");
    }

    /// <summary>Changes attributes of a mount, or of all mounts of its tree.</summary>
    public static void SetAttributes(FileDescriptor mount, MountAttributes set, MountAttributes clear, MountFlags propagation, bool recursive, string what)
    {
        using var text = new NativeText("");
        var attributes = stackalloc ulong[] { (ulong)set, (ulong)clear, (ulong)propagation, 0 };
        Syscall.Check(
            Syscall.Call(SyscallNumber.MountSetattr, mount.Number, text.Address, EmptyPath | (recursive ? RecursiveTree : 0), (nint)attributes, 32),
            $"set mount attributes {set} of {what}");
    }

    /// <summary>Shows the owners of everything in the mount (and, recursively, in those below it) through a user namespace's mappings. Once only, before it is attached.</summary>
    /// <returns>0, or minus errno.</returns>
    public static int TryMapOwners(FileDescriptor mount, FileDescriptor userNamespace, bool recursive)
    {
        using var text = new NativeText("");
        var attributes = stackalloc ulong[] { IdMapAttribute, 0, 0, (ulong)userNamespace.Number };
        return (int)Syscall.Call(SyscallNumber.MountSetattr, mount.Number, text.Address, EmptyPath | (recursive ? RecursiveTree : 0), (nint)attributes, 32);
    }

    /// <summary>Begins a new file system of a type (fsopen(2)); minus errno where the kernel has none.</summary>
    public static int TryOpenFileSystem(string type)
    {
        using var text = new NativeText(type);
        return (int)Syscall.Call(SyscallNumber.Fsopen, text.Address, FsCloseOnExec);
    }

    /// <summary>Gives it an option; minus errno when refused.</summary>
    public static int TryConfigure(FileDescriptor context, string key, string? value)
    {
        using var keyText = new NativeText(key);
        using var valueText = new NativeText(value);
        return (int)Syscall.Call(SyscallNumber.Fsconfig, context.Number, value is null ? FsConfigSetFlag : FsConfigSetString, keyText.Address, valueText.Address, 0);
    }

    /// <summary>Makes the file system and a detached mount of it.</summary>
    public static FileDescriptor CreateMount(FileDescriptor context, MountAttributes attributes, string what)
    {
        var created = Syscall.Call(SyscallNumber.Fsconfig, context.Number, FsConfigCreate);
        if (created < 0)
        {
            throw new LinuxException($"mount {what}{Complaint(context)}", (int)-created);
        }

        return new((int)Syscall.Check(Syscall.Call(SyscallNumber.Fsmount, context.Number, FsCloseOnExec, (nint)attributes), $"mount {what}"));
    }

    /// <summary>Makes the working directory the root and the old root a mount on top of it (pivot_root(2), "pivot_root(".", ".")").</summary>
    public static void PivotToWorkingDirectory()
    {
        using var here = new NativeText(".");
        Syscall.Check(Syscall.Call(SyscallNumber.PivotRoot, here.Address, here.Address), "pivot the root");
    }

    public static void UnmountDetached(string path)
    {
        using var text = new NativeText(path);
        Syscall.Check(Syscall.Call(SyscallNumber.Umount2, text.Address, Detach), $"unmount {path}");
    }

    // What the file system itself has to say about a refusal, e.g. "overlay: upperdir is in-use".
    private static string Complaint(FileDescriptor context)
    {
        Span<byte> buffer = stackalloc byte[1024];
        var length = FileSyscalls.Read(context.Number, buffer);
        return length <= 2 ? "" : $" ({System.Text.Encoding.UTF8.GetString(buffer[2..length]).Trim()})";
    }
}
