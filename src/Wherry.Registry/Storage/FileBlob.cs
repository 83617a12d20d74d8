using Microsoft.Win32.SafeHandles;

namespace Wherry.Registry.Storage;

/// <summary>A blob that is a file. The open file stays readable when the blob is removed meanwhile.</summary>
public sealed class FileBlob : BlobContent
{
    private readonly SafeFileHandle _file;

    private FileBlob(SafeFileHandle file)
    {
        _file = file;
        Length = RandomAccess.GetLength(file);
    }

    public override long Length { get; }

    /// <summary>Null where there is no such file.</summary>
    public static FileBlob? TryOpen(string path)
    {
        try
        {
            // Shared with everybody: blobs never change, and only their names come and go.
            return new FileBlob(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancel)
    {
        // Synchronous: mostly in the page cache, and else the disk's own wait, which no thread pool makes shorter.
        var wanted = (int)Math.Min(buffer.Length, Length - offset);
        return ValueTask.FromResult(wanted <= 0 ? 0 : RandomAccess.Read(_file, buffer.Span[..wanted], offset));
    }

    public override ValueTask DisposeAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }
}
