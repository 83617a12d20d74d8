using System.Globalization;
using System.Text;
using Wherry.Errors;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;

namespace Wherry.Linux.Mounts;

/// <summary>
/// Overlays that a program makes (fuse-overlayfs(1)), as mounts attached nowhere. The mount is made here, so the program
/// needs neither fusermount nor the mount's place: all it is given is the connection to the kernel. That ends with the
/// last mount of the file system, wherever it has got to by then, and the program with it: it is nobody's child, and
/// nobody has to stop it.
/// </summary>
public static class FuseOverlay
{
    /// <summary>The program's name, and that of its package.</summary>
    public const string ProgramName = "fuse-overlayfs";

    /// <summary>The device through which programs serve file systems (fuse(4)).</summary>
    public const string Device = "/dev/fuse";

    // Where the program finds the connection: libfuse takes such a name (since 3.3) for one that is mounted already.
    private const int ConnectionNumber = 3;

    private const int MostComplaint = 4096;

    // All written is at once in the upper directory, where it is read when containers are committed and compared. It
    // could also wait in the kernel until it is a page's worth, but nobody could then ask for it reliably.
    private const string Options = "writeback=0";

    /// <summary>Where the program is; null where it is not installed.</summary>
    public static string? FindProgram() =>
        new[] { "/usr/local/bin/", "/usr/bin/", "/bin/" }.Select(directory => directory + ProgramName).FirstOrDefault(File.Exists);

    /// <summary>Makes an overlay that the host does not see; the caller's.</summary>
    /// <param name="program">As <see cref="FindProgram"/> found it.</param>
    /// <param name="lower">Read-only directories, topmost first.</param>
    /// <param name="upper">Takes changes; null for a mount to read only.</param>
    /// <param name="work">The program's own directory beside <paramref name="upper"/>.</param>
    /// <exception cref="WherryException">Unsupported: the device can't be opened, or the program says why it can't serve.</exception>
    public static FileDescriptor Create(string program, IReadOnlyList<string> lower, string? upper, string? work)
    {
        using var connection = OpenDevice();
        var mount = Mount(connection);
        try
        {
            Serve(program, connection, lower, upper, work);
            return mount;
        }
        catch
        {
            mount.Dispose();
            throw;
        }
    }

    private static FileDescriptor OpenDevice()
    {
        try
        {
            return FileSyscalls.Open(Device, OpenFlags.ReadWrite | OpenFlags.CloseOnExec);
        }
        catch (LinuxException e)
        {
            throw WherryException.Unsupported($"{Device} can't be opened: {Errno.Describe(e.ErrorNumber)}");
        }
    }

    // The kernel checks permissions, by what the program says of owners and modes. Not only who mounts may look: all
    // users of this user namespace, and of those below it.
    private static FileDescriptor Mount(FileDescriptor connection)
    {
        using var context = MountSyscalls.TryOpenFileSystem("fuse") switch
        {
            var opened and >= 0 => new FileDescriptor(opened),
            -Errno.ENODEV => throw WherryException.Unsupported("this kernel has no FUSE"),
            var failed => throw new LinuxException("begin a FUSE mount", -failed),
        };
        (string Key, string? Value)[] options =
        [
            ("source", ProgramName), ("subtype", ProgramName), ("fd", connection.Number.ToString(CultureInfo.InvariantCulture)),
            ("rootmode", "40000"), ("user_id", "0"), ("group_id", "0"), ("default_permissions", null), ("allow_other", null),
        ];
        foreach (var (key, value) in options)
        {
            var result = MountSyscalls.TryConfigure(context, key, value);
            if (result < 0)
            {
                throw new LinuxException($"set a FUSE mount's {key} to {value}", -result);
            }
        }

        return MountSyscalls.CreateMount(context, MountAttributes.None, "a FUSE file system");
    }

    // It goes to the background once it serves; until then it is a child that can be waited for, and says what is wrong.
    private static void Serve(string program, FileDescriptor connection, IReadOnlyList<string> lower, string? upper, string? work)
    {
        // Its options have no way to write a colon in a directory's name, and it takes the whole name for one. Other
        // characters are kept from it by names that begin where all do.
        var start = CommonDirectory(upper is null || work is null ? lower : [.. lower, upper, work]);
        string Name(string path)
        {
            var name = Path.GetRelativePath(start, path);
            return path.Contains(':') || name.AsSpan().ContainsAny(",\\") ? throw WherryException.Unsupported($"{ProgramName} takes no directory of such a name: {path}") : name;
        }

        var options = new StringBuilder(Options).Append(",lowerdir=").AppendJoin(':', lower.Select(Name));
        if (upper is not null && work is not null)
        {
            options.Append($",upperdir={Name(upper)},workdir={Name(work)}");
        }

        var (read, write) = FileSyscalls.Pipe();
        using (read)
        {
            int pid;
            using (write)
            using (var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadWrite | OpenFlags.CloseOnExec))
            {
                pid = ProgramSpawn.Start(program, [ProgramName, "-o", options.ToString(), $"/dev/fd/{ConnectionNumber}"], [], [nothing, nothing, write, connection], 0, start);
            }

            var complaint = Encoding.UTF8.GetString(FileSyscalls.ReadToEnd(read, MostComplaint)).Trim();
            if (ProcessSyscalls.Wait(pid, block: true) is not { ExitCode: 0 })
            {
                throw WherryException.Unsupported($"{program} can't make an overlay: {(complaint.Length == 0 ? "it was killed" : complaint.ReplaceLineEndings("; "))}");
            }
        }
    }

    private static string CommonDirectory(IReadOnlyList<string> paths)
    {
        var common = Path.GetDirectoryName(paths[0])!;
        while (!paths.All(path => path.StartsWith(common.TrimEnd('/') + "/", StringComparison.Ordinal)))
        {
            common = Path.GetDirectoryName(common)!;
        }

        return common;
    }
}
