using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Wherry.Linux.Inodes;

namespace Wherry.Engine.Logs;

/// <summary>One file of a log, open: it stays readable under whatever name rotation gives it, or none.</summary>
internal sealed class OpenLog(SafeFileHandle handle, FileIdentity identity) : IDisposable
{
    public SafeFileHandle Handle => handle;

    public bool IsDeleted
    {
        get
        {
            _ = FileIdentity.Of(handle, out var links);
            return links == 0;
        }
    }

    public FileIdentity Identity => identity;

    public long Length => RandomAccess.GetLength(handle);

    public void Dispose() => handle.Dispose();

    /// <summary>Opens the file a path names now, or returns null when there is none.</summary>
    public static OpenLog? TryOpen(string path)
    {
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        try
        {
            return new OpenLog(handle, FileIdentity.Of(handle));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }
}

/// <summary>
/// The files of a rotated log: <c>path</c> is written, <c>path.1</c> is the one before, and so on. The
/// supervisor renames from the highest number down while we look, so a file is told by its inode and only ever
/// moves to a higher number.
/// </summary>
internal sealed class LogFiles(string path)
{
    private const int Attempts = 100;

    /// <summary>Opens every file, oldest first. Each file is there once even if the log is rotated meanwhile.</summary>
    public List<OpenLog> OpenAll()
    {
        for (var attempt = 1; ; attempt++)
        {
            var found = Look();

            // What was rotated out of existence while we looked is seen once and nowhere later, so its place among
            // the others is not known; whoever had looked a little later would not have met it at all.
            if (attempt == Attempts || !found.Exists(log => log.IsDeleted))
            {
                return found;
            }

            found.ForEach(log => log.Dispose());
        }
    }

    /// <summary>
    /// Opens what there is, oldest first. Files move to higher numbers while we look, new ones come in behind us, and
    /// after several rotations a new one may come up before an old one is met again: the last meeting counts, as then
    /// all older ones were still ahead.
    /// </summary>
    private List<OpenLog> Look()
    {
        var found = new List<OpenLog>();
        try
        {
            foreach (var number in Numbers())
            {
                if (OpenLog.TryOpen(NameOf(number)) is not { } log)
                {
                    continue;
                }

                if (found.FindIndex(other => other.Identity == log.Identity) is var before and >= 0)
                {
                    found[before].Dispose();
                    found.RemoveAt(before);
                }

                found.Add(log);
            }
        }
        catch
        {
            found.ForEach(log => log.Dispose());
            throw;
        }

        found.Reverse();
        return found;
    }

    /// <summary>
    /// Opens the file written after <paramref name="current"/>; null while <paramref name="current"/> is still
    /// the newest. A result means that nothing more will be written to <paramref name="current"/>.
    /// </summary>
    public OpenLog? TryOpenSuccessor(OpenLog current)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var number = NumberOf(current.Identity);
            if (number == 0)
            {
                return null;
            }

            // Listing a directory while its files are renamed may miss one. Only what was deleted, rotated out of
            // existence while we read it, has no number, and is followed by the oldest file there is.
            if (number < 0 && !current.IsDeleted)
            {
                continue;
            }

            var (successor, place) = TryOpenBelow(number < 0 ? HighestNumber() + 1 : number);
            if (successor is null)
            {
                return null;
            }

            // Renaming moves the higher number first: if current has not moved, nor had its successor, unless into the
            // gap that we passed on our way to it.
            if (successor.Identity != current.Identity && NumberOf(current.Identity) == number && !IsAnyBetween(place, number))
            {
                return successor;
            }

            successor.Dispose();
        }

        // The files were moved away as a whole, or are rotated without pause: the next change is another chance.
        return null;
    }

    /// <summary>The file with the next lower number. A gap is a rotation half done, or what a crash in one left for good.</summary>
    private (OpenLog? Log, int Number) TryOpenBelow(int number)
    {
        for (var candidate = number - 1; candidate >= 0; candidate--)
        {
            if (OpenLog.TryOpen(NameOf(candidate)) is { } log)
            {
                return (log, candidate);
            }
        }

        return (null, -1);
    }

    /// <summary>Whether there is a file above one number and below another; a negative one stands for the end.</summary>
    private bool IsAnyBetween(int lower, int upper)
    {
        if (upper < 0)
        {
            return HighestNumber() > lower;
        }

        for (var number = lower + 1; number < upper; number++)
        {
            if (FileIdentity.At(NameOf(number)) is not null)
            {
                return true;
            }
        }

        return false;
    }

    private string NameOf(int number) => number == 0 ? path : path + "." + number.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// The numbers there are, from the newest file to the oldest: the way renaming goes, so that no file passes
    /// by unseen, though one may be met twice. The end is looked for again when it is reached, as it moves too.
    /// </summary>
    private IEnumerable<int> Numbers()
    {
        yield return 0;
        var highest = HighestNumber();
        for (var number = 1; number <= highest || number <= (highest = HighestNumber()); number++)
        {
            yield return number;
        }
    }

    /// <summary>The number of a file now, or -1 if it has none any more.</summary>
    private int NumberOf(FileIdentity identity)
    {
        foreach (var number in Numbers())
        {
            if (FileIdentity.At(NameOf(number)) == identity)
            {
                return number;
            }
        }

        return -1;
    }

    private int HighestNumber()
    {
        var highest = 0;
        var prefix = Path.GetFileName(path) + ".";
        try
        {
            // No search pattern: to .NET's, as to DOS, "log.*" also means "log".
            foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(path)!))
            {
                var name = Path.GetFileName(file.AsSpan());
                if (name.StartsWith(prefix)
                    && int.TryParse(name[prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    highest = Math.Max(highest, number);
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            // The container was removed: no files.
        }

        return highest;
    }
}
