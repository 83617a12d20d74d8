using System.Text;
using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Storage.Archives;

namespace Wherry.Images.Distribution.Artifacts;

/// <summary>An artifact's files on their way through the engine, in order. Owns them.</summary>
public sealed class ArtifactFiles : IDisposable
{
    /// <summary>The most files one artifact may have.</summary>
    internal const int MostFiles = 1024;

    private const int LongestName = 255;

    private readonly List<(string Name, SpooledFile Content)> _files = [];

    internal IReadOnlyList<(string Name, SpooledFile Content)> All => _files;

    /// <summary>The files of a tar archive: plain files at its top.</summary>
    internal static ArtifactFiles FromArchive(Stream archive, BlobStore blobs, CancellationToken cancel)
    {
        var files = new ArtifactFiles();
        try
        {
            using var reader = new TarReader(archive);
            while (reader.Next() is { } entry)
            {
                if (entry.Kind != TarKind.File)
                    throw WherryException.Invalid($"{entry.NameText} is not a plain file: an artifact holds nothing else");
                var content = blobs.Spool();
                files.Add(entry.NameText, content);
                while (reader.TryReadData(out var data, out var offset))
                {
                    cancel.ThrowIfCancellationRequested();
                    if (offset != content.Size)
                        throw WherryException.Invalid($"{entry.NameText} comes with holes: send it as a plain file");
                    content.Append(data);
                }
                content.Complete();
            }
            reader.Drain();
            return files;
        }
        catch (TarFormatException damaged)
        {
            files.Dispose();
            throw WherryException.Invalid($"the files to push are not a tar archive: {damaged.Message}", damaged);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Takes a file over. Its name becomes a file's on somebody's disk, so it can't be a path.</summary>
    internal void Add(string name, SpooledFile content)
    {
        _files.Add((name, content));
        CheckName(name);
        if (_files.Count > MostFiles)
            throw WherryException.Invalid($"an artifact of more than {MostFiles} files is not taken");
        if (_files.Take(_files.Count - 1).Any(other => other.Name == name))
            throw WherryException.Invalid($"two files of one artifact are called {name}");
    }

    internal static void CheckName(string name)
    {
        if (name is "" or "." or ".." || name.AsSpan().ContainsAny('/', '\0') || Encoding.UTF8.GetByteCount(name) > LongestName)
            throw WherryException.Invalid($"\"{name}\" cannot be a file of an artifact: it must be a plain file name");
    }

    /// <summary>Writes the files as a tar archive.</summary>
    public void WriteTo(Stream target, CancellationToken cancel)
    {
        var writer = new TarWriter(target);
        var buffer = new byte[128 * 1024];
        foreach (var (name, content) in _files)
        {
            writer.WriteHeader(new TarEntry { Kind = TarKind.File, Name = Encoding.UTF8.GetBytes(name), Mode = 0x1A4, Size = content.Size });
            using var source = content.OpenRead();
            for (int read; (read = source.Read(buffer)) > 0;)
            {
                cancel.ThrowIfCancellationRequested();
                writer.WriteData(buffer.AsSpan(0, read));
            }
        }
        writer.Finish();
    }

    public void Dispose() => _files.ForEach(static file => file.Content.Dispose());
}
