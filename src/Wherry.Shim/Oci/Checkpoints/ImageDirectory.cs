using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Runtime.Checkpoints;

namespace Wherry.Shim.Oci.Checkpoints;

/// <summary>A checkpoint's files: CRIU's images with our record among them, and the directory of its log, which may be another.</summary>
public sealed class ImageDirectory
{
    private const int OwnerOnly = 0x180; // 0600
    private const int DirectoryMode = 0x1c0; // 0700
    private const int LargestRecord = 16 * 1024 * 1024;

    // What every dump of CRIU's has.
    private const string Inventory = "inventory.img";

    private readonly string _path;
    private readonly string _workPath;
    private readonly bool _made;
    private readonly bool _madeWork;

    private ImageDirectory(string path, string workPath, bool made, bool madeWork) =>
        (_path, _workPath, _made, _madeWork) = (path, workPath, made, madeWork);

    /// <summary>
    /// The images' directory for CRIU, in the calling thread's mount namespace. That has to be CRIU's: it mounts in
    /// directories that it makes there, which the kernel allows nobody whose mount it is not.
    /// </summary>
    public FileDescriptor OpenImages() => FileSyscalls.Open(_path, OpenFlags.ReadOnly | OpenFlags.Directory);

    /// <summary>Likewise the directory of its log.</summary>
    public FileDescriptor OpenWork() => FileSyscalls.Open(_workPath, OpenFlags.ReadOnly | OpenFlags.Directory);

    /// <summary>Lets a container's root read these images, in the calling thread's mount namespace.</summary>
    public void ShowTo(ContainerRoot root) => root.Show(_path);

    /// <summary>For a dump: makes what is missing.</summary>
    public static ImageDirectory Make(string path, string workPath, string log)
    {
        var made = MakeOne(path);
        return new ImageDirectory(path, workPath, made, MakeOne(workPath)).WithoutLog(log);
    }

    /// <summary>For a restore.</summary>
    /// <exception cref="WherryException">There are no images.</exception>
    public static ImageDirectory Open(string path, string workPath, string log)
    {
        foreach (var file in (ReadOnlySpan<string>)[Inventory, CheckpointRecord.FileName])
        {
            if (!File.Exists(Path.Combine(path, file)))
            {
                throw WherryException.NotFound($"--image-path {path}: there is no checkpoint there that {OciCommandLine.ProgramName} has made (no {file})");
            }
        }

        return new ImageDirectory(path, workPath, made: false, MakeOne(workPath)).WithoutLog(log);
    }

    public CheckpointRecord ReadRecord()
    {
        using var file = FileSyscalls.Open(RecordPath, OpenFlags.ReadOnly);
        return CheckpointRecord.Parse(FileSyscalls.ReadToEnd(file, LargestRecord));
    }

    public void WriteRecord(CheckpointRecord record)
    {
        using var file = FileSyscalls.Open(RecordPath, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.NoFollow, OwnerOnly);
        for (ReadOnlySpan<byte> rest = record.ToJson(); rest.Length > 0;)
        {
            rest = rest[(int)Syscall.Check(FileSyscalls.Write(file.Number, rest), $"write {RecordPath}")..];
        }
    }

    /// <summary>Earlier images, told from the directory of these.</summary>
    /// <exception cref="WherryException">There are none.</exception>
    public static void RequireParent(string path, string parent)
    {
        if (Path.IsPathRooted(parent))
        {
            throw WherryException.Invalid($"--parent-path {parent}: must be relative to the image path, where CRIU keeps it");
        }

        if (!File.Exists(Path.Combine(path, parent, Inventory)) && !Directory.Exists(Path.Combine(path, parent)))
        {
            throw WherryException.NotFound($"--parent-path {parent}: there is no directory {Path.GetFullPath(Path.Combine(path, parent))}");
        }
    }

    public string LogPath(string log) => Path.Combine(_workPath, log);

    /// <summary>Removes the directories that were made for a dump which has failed; the log stays, if there is one, for who wants to know why.</summary>
    public void Undo(string log)
    {
        if (_made)
        {
            foreach (var file in Directory.GetFiles(_path).Where(file => Path.GetFileName(file) != log))
            {
                File.Delete(file);
            }

            DirectorySyscalls.TryRemove(_path);
        }

        if (_madeWork)
        {
            DirectorySyscalls.TryRemove(_workPath);
        }
    }

    private string RecordPath => Path.Combine(_path, CheckpointRecord.FileName);

    // An earlier command's would be taken for this one's.
    private ImageDirectory WithoutLog(string log)
    {
        File.Delete(LogPath(log));
        return this;
    }

    private static bool MakeOne(string path)
    {
        var made = !Directory.Exists(path);
        DirectorySyscalls.MakeWithParents(path, DirectoryMode);
        return made;
    }
}
