using System.Globalization;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Mounts;

namespace Wherry.Runtime.Checkpoints;

/// <summary>A first process's standard streams, where they are its maker's and not the container's own.</summary>
public static class OutsideStreams
{
    /// <summary>Input, output, error.</summary>
    public const int Count = 3;

    private const int Looks = 20;
    private const int BetweenLooks = 2;
    private const uint FirstPtsMajor = 136;
    private const uint LastPtsMajor = 143;
    private const uint TtyMajor = 4;

    /// <summary>
    /// The names by which CRIU knows them (criu(8), --inherit-fd), empty for one that is the container's: a pipe has the
    /// kernel's; of files and terminals those are outside that lie on no mount of the container's.
    /// </summary>
    public static IReadOnlyList<string> Find(int pid)
    {
        var mounts = MountTable.Of(pid).Select(mount => mount.Id).ToHashSet();
        string[] names = ["", "", ""];
        using var descriptors = FileSyscalls.Open($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/fd", OpenFlags.ReadOnly | OpenFlags.Directory);

        // More than once: a shell puts a file of the container's in a stream's place for as long as a command of its own
        // takes, and meanwhile has the stream under another number, where a dump would come upon it.
        for (var look = 0; look < Looks && names.Contains(""); look++)
        {
            Thread.Sleep(look == 0 ? 0 : BetweenLooks);
            for (var fd = 0; fd < Count; fd++)
            {
                names[fd] = names[fd].Length > 0 ? names[fd] : NameOf(descriptors, fd.ToString(CultureInfo.InvariantCulture), mounts);
            }
        }

        return names;
    }

    /// <summary>Those that a dump has to be told of, as it would look for them in the container.</summary>
    public static IEnumerable<string> External(IEnumerable<string> names) =>
        names.Where(name => name.StartsWith("file[", StringComparison.Ordinal) || name.StartsWith("tty[", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal);

    private static string NameOf(FileDescriptor descriptors, string number, HashSet<ulong> mounts)
    {
        string link;
        try
        {
            link = FileSyscalls.ReadLink(descriptors, number);
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.ENOENT)
        {
            // The program has closed it.
            return "";
        }

        if (link.StartsWith("pipe:[", StringComparison.Ordinal))
        {
            return link;
        }

        // Following /proc's link opens the very file; for its status alone.
        var opened = FileSyscalls.TryOpen(descriptors.Number, number, OpenFlags.PathOnly, ResolveFlags.None);
        if (opened < 0)
        {
            return "";
        }

        using var file = new FileDescriptor(opened);
        var status = FileStatus.Of(file);
        if (!link.StartsWith('/') || mounts.Contains(status.MountId))
        {
            return "";
        }

        return status.Type == Linux.Files.FileMode.CharacterDevice && status.DeviceMajor is >= FirstPtsMajor and <= LastPtsMajor or TtyMajor
            ? $"tty[{Device(status.DeviceMajor, status.DeviceMinor):x}:{Device(status.OnMajor, status.OnMinor):x}]"
            : string.Create(CultureInfo.InvariantCulture, $"file[{status.MountId:x}:{status.Inode:x}]");
    }

    // As stat(2) of the C library packs it (makedev(3)).
    private static ulong Device(uint major, uint minor) =>
        (minor & 0xff) | ((ulong)(major & 0xfff) << 8) | ((ulong)(minor & 0xffffff00) << 12) | ((ulong)(major & 0xfffff000) << 32);
}
