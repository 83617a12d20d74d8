using System.Buffers.Binary;
using System.Text;
using Wherry.Errors;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;

namespace Wherry.Images.Bootstrap;

/// <summary>
/// A root file system of one program: the distribution's static busybox with a link for each of its applets, and the
/// few files that programs expect. All times are the program's own, so the same package gives the same bytes.
/// </summary>
internal static class BusyboxRoot
{
    private const uint Executable = 0x1ED; // 0755
    private const uint Readable = 0x1A4; // 0644

    private static readonly (string Path, uint Mode)[] Directories =
    [
        ("bin", Executable), ("dev", Executable), ("etc", Executable), ("home", Executable), ("lib", Executable),
        ("mnt", Executable), ("opt", Executable), ("proc", Executable), ("root", 0x1C0), ("run", Executable),
        ("sbin", Executable), ("srv", Executable), ("sys", Executable), ("tmp", 0x3FF), ("usr", Executable),
        ("usr/bin", Executable), ("usr/sbin", Executable), ("var", Executable), ("var/log", Executable),
        ("var/spool", Executable), ("var/spool/mail", Executable), ("var/tmp", 0x3FF), ("var/www", Executable),
    ];

    private static readonly (string Path, uint Mode, string Content)[] Files =
    [
        ("etc/group", Readable, """
            root:x:0:
            daemon:x:1:
            bin:x:2:
            sys:x:3:
            adm:x:4:
            tty:x:5:
            disk:x:6:
            lp:x:7:
            mail:x:8:
            wheel:x:10:root
            utmp:x:43:
            www-data:x:33:
            staff:x:50:
            users:x:100:
            nogroup:x:65534:

            """),
        ("etc/nsswitch.conf", Readable, """
            passwd: files
            group: files
            shadow: files
            hosts: files dns

            """),
        ("etc/passwd", Readable, """
            root:x:0:0:root:/root:/bin/sh
            daemon:x:1:1:daemon:/usr/sbin:/bin/false
            bin:x:2:2:bin:/bin:/bin/false
            sys:x:3:3:sys:/dev:/bin/false
            sync:x:4:100:sync:/bin:/bin/sync
            mail:x:8:8:mail:/var/spool/mail:/bin/false
            www-data:x:33:33:www-data:/var/www:/bin/false
            nobody:x:65534:65534:nobody:/home:/bin/false

            """),
        ("etc/shadow", 0x180, """
            root:*:::::::
            daemon:*:::::::
            bin:*:::::::
            sys:*:::::::
            sync:*:::::::
            mail:*:::::::
            www-data:*:::::::
            nobody:*:::::::

            """),
    ];

    /// <summary>Writes the layer.</summary>
    /// <param name="target">Gets the archive.</param>
    /// <param name="busybox">The program's bytes.</param>
    /// <param name="time">The program's own modification time.</param>
    /// <param name="applets">Paths such as <c>usr/bin/awk</c>.</param>
    internal static void Write(Stream target, byte[] busybox, FileTime time, IEnumerable<string> applets)
    {
        var members = new SortedDictionary<string, (TarEntry Entry, byte[] Data)>(StringComparer.Ordinal);
        foreach (var (path, mode) in Directories)
            members[path] = (Entry(TarKind.Directory, path, mode, time), []);
        foreach (var (path, mode, content) in Files)
            members[path] = (Entry(TarKind.File, path, mode, time), Encoding.ASCII.GetBytes(content));
        foreach (var applet in applets.Where(applet => applet != "bin/busybox"))
        {
            var up = string.Concat(Enumerable.Repeat("../", applet.Count(c => c == '/')));
            var link = applet.StartsWith("bin/", StringComparison.Ordinal) ? "busybox" : up + "bin/busybox";
            members[applet] = (Entry(TarKind.Symlink, applet, 0x1FF, time) with { LinkName = Encoding.ASCII.GetBytes(link) }, []);
        }
        members["bin/busybox"] = (Entry(TarKind.File, "bin/busybox", Executable, time), busybox);

        var archive = new TarWriter(target);
        archive.WriteHeader(Entry(TarKind.Directory, "./", Executable, time));
        foreach (var (entry, data) in members.Values)
        {
            archive.WriteHeader(entry with { Size = data.Length });
            archive.WriteData(data);
        }
        archive.Finish();
    }

    /// <summary>Whether these bytes are an executable that needs no loader, and so runs in a root file system of its own.</summary>
    internal static bool IsStaticExecutable(ReadOnlySpan<byte> elf)
    {
        const int ProgramInterpreter = 3; // PT_INTERP
        if (elf.Length < 64 || !elf.StartsWith("\u007fELF"u8) || elf[4] != 2)
            return false;
        var at = BinaryPrimitives.ReadInt64LittleEndian(elf[32..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(elf[54..]), count = BinaryPrimitives.ReadUInt16LittleEndian(elf[56..]);
        for (var i = 0; i < count; i++)
        {
            var header = at + ((long)i * size);
            if (header < 0 || header + 4 > elf.Length)
                return false;
            if (BinaryPrimitives.ReadInt32LittleEndian(elf[(int)header..]) == ProgramInterpreter)
                return false;
        }
        return true;
    }

    /// <summary>Checks the applets' list of the program: it comes from running it.</summary>
    internal static IReadOnlyList<string> ParseApplets(string list)
    {
        var applets = list.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var known = Directories.Select(directory => directory.Path).ToHashSet(StringComparer.Ordinal);
        // Some builds list applets for directories the image has no use for (linuxrc, for one, lies in the root).
        return [.. applets.Where(applet => applet.LastIndexOf('/') is var slash and > 0 && known.Contains(applet[..slash]))];
    }

    internal static WherryException NotStatic(string path) =>
        WherryException.System($"{path} is not a static program: an image of it could not run");

    private static TarEntry Entry(TarKind kind, string path, uint mode, FileTime time) =>
        new() { Kind = kind, Name = Encoding.ASCII.GetBytes(path), Mode = mode, Modified = time };
}
