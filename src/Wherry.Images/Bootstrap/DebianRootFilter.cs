using System.Text;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;

namespace Wherry.Images.Bootstrap;

/// <summary>
/// Makes a layer of what mmdebstrap wrote: drops what differs between two runs or belongs to the host that ran it,
/// bounds times, and adds what makes packages behave in a container.
/// </summary>
internal static class DebianRootFilter
{
    /// <summary>Directories whose files are made anew where they are needed.</summary>
    private static readonly string[] Emptied =
        ["dev/", "proc/", "sys/", "run/", "tmp/", "var/tmp/", "var/cache/apt/", "var/lib/apt/lists/", "var/log/"];

    private static readonly string[] Dropped =
    [
        "etc/hostname", "etc/resolv.conf", "etc/machine-id", "var/lib/dbus/machine-id", "var/cache/ldconfig/aux-cache",
        "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-", "etc/subgid-",
        "etc/apt/apt.conf.d/99mmdebstrap", "var/lib/systemd/random-seed",
    ];

    private static readonly (string Path, uint Mode, string Content)[] Added =
    [
        // Nothing is started by the installation of a package: a container runs one program, and no init.
        ("usr/sbin/policy-rc.d", 0x1ED, "#!/bin/sh\nexit 101\n"),
        ("etc/apt/apt.conf.d/90container", 0x1A4, """
            // In a container: packages are not kept after their installation, indexes stay compressed, and
            // translations are not fetched.
            APT::Keep-Downloaded-Packages "false";
            DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
            APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
            Dir::Cache::pkgcache "";
            Dir::Cache::srcpkgcache "";
            Acquire::GzipIndexes "true";
            Acquire::Languages "none";

            """),
        // A layer that is half written is thrown away as a whole, so no file needs to be on the disk before the next.
        ("etc/dpkg/dpkg.cfg.d/90container", 0x1A4, "force-unsafe-io\n"),
    ];

    internal static void Write(Stream source, Stream target, DateTimeOffset date)
    {
        var latest = new FileTime(date.ToUnixTimeSeconds(), 0);
        var archive = new TarWriter(target);
        using var reader = new TarReader(source, TarEnd.Required);
        while (reader.Next() is { } entry)
        {
            if (IsDropped(entry))
                continue;
            var time = entry.Modified with { Nanoseconds = 0 };
            archive.WriteHeader(entry with { Modified = time > latest ? latest : time });
            while (reader.TryReadData(out var data, out _))
                archive.WriteData(data);
        }
        reader.Drain();
        foreach (var (path, mode, content) in Added)
        {
            var bytes = Encoding.ASCII.GetBytes(content);
            archive.WriteHeader(new TarEntry { Kind = TarKind.File, Name = Encoding.ASCII.GetBytes("./" + path), Mode = mode, Size = bytes.Length, Modified = latest });
            archive.WriteData(bytes);
        }
        archive.Finish();
    }

    private static bool IsDropped(TarEntry entry)
    {
        var path = entry.NameText.StartsWith("./", StringComparison.Ordinal) ? entry.NameText[2..] : entry.NameText;
        if (Dropped.Contains(path, StringComparer.Ordinal))
            return true;
        if ((path.StartsWith("var/lib/dpkg/", StringComparison.Ordinal) || path.StartsWith("var/cache/debconf/", StringComparison.Ordinal))
            && path.EndsWith("-old", StringComparison.Ordinal))
            return true;
        return Emptied.Any(directory => path.StartsWith(directory, StringComparison.Ordinal) && path.Length > directory.Length
            && (entry.Kind != TarKind.Directory || directory is "dev/" or "proc/" or "sys/" or "tmp/" or "var/tmp/"));
    }
}
