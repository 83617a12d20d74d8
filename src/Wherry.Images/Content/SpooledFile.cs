using System.Security.Cryptography;
using System.Text;
using Wherry.Linux;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Layers;
using Wherry.Storage.Pipelines;

namespace Wherry.Images.Content;

/// <summary>
/// Content that only passes through the engine: a file whose name is gone as soon as it is open, so that nothing of it is
/// left whatever happens. Written once, then read as often as need be, by several at once.
/// </summary>
internal sealed class SpooledFile : IDisposable
{
    private readonly FileDescriptor _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    internal SpooledFile(string directory)
    {
        using var parent = FileTree.OpenDirectory(directory);
        // Should the engine be killed between the two, the next start removes names like this one.
        var name = Encoding.ASCII.GetBytes($"{DurableFile.TemporaryPrefix}{Guid.NewGuid():N}");
        Check(FileTree.OpenName(parent, name, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive, 0x180, out _file));
        _ = FileTree.Unlink(parent, name, isDirectory: false);
    }

    /// <summary>Bytes written.</summary>
    internal long Size { get; private set; }

    /// <summary>Of what was written; known after <see cref="Complete"/>.</summary>
    internal string Digest { get => field ?? throw new InvalidOperationException("the content is not complete"); private set; }

    internal void Append(ReadOnlySpan<byte> data)
    {
        Check(FileTree.WriteAll(_file, data));
        _hash.AppendData(data);
        Size += data.Length;
    }

    internal void Complete() => Digest = Digests.FromHash(_hash.GetHashAndReset());

    /// <summary>Reads from a place on; the stream does not own the file.</summary>
    internal Stream OpenRead(long offset = 0) => new Reader(_file, offset);

    public void Dispose()
    {
        _file.Dispose();
        _hash.Dispose();
    }

    private static void Check(int errno)
    {
        if (errno != 0)
            throw new LinuxException("store content", errno);
    }

    private sealed class Reader(FileDescriptor file, long offset) : SequentialStream
    {
        private long _offset = offset;

        public override bool CanRead => true;

        public override int Read(Span<byte> buffer)
        {
            var read = FileTree.ReadAt(file, buffer, _offset);
            if (read < 0)
                throw new LinuxException("read stored content", -read);
            _offset += read;
            return read;
        }
    }
}

/// <summary>Bytes from a registry on their way into a <see cref="SpooledFile"/>.</summary>
internal sealed class SpoolInput(SpooledFile file, long size) : BlobInput(size)
{
    protected override ValueTask TakeAsync(Chunk chunk)
    {
        try
        {
            file.Append(chunk.Content);
        }
        finally
        {
            chunk.Release();
        }
        return ValueTask.CompletedTask;
    }
}
