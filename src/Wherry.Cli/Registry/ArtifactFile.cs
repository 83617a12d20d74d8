using System.Text;
using Wherry.Cli.CommandLine;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;

namespace Wherry.Cli.Registry;

/// <summary>A file to be pushed, as the command line names it: <c>FILE[:MEDIATYPE]</c>.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="MediaType">Null where none is given.</param>
internal sealed record ArtifactFile(string Path, string? MediaType)
{
    /// <summary>What it is called in the artifact.</summary>
    internal string Name => System.IO.Path.GetFileName(Path);

    internal static ArtifactFile Parse(string text)
    {
        // A media type has a slash in its midst; what exists under the whole name is meant by it.
        var colon = text.LastIndexOf(':');
        var hasType = colon > 0 && !File.Exists(text) && text.IndexOf('/', colon) is var slash && slash > colon + 1 && slash < text.Length - 1;
        var file = hasType ? new ArtifactFile(text[..colon], text[(colon + 1)..]) : new ArtifactFile(text, null);
        if (Directory.Exists(file.Path))
        {
            throw new CliException($"{file.Path} is a directory: an artifact is made of files (pack it with tar first)");
        }

        return File.Exists(file.Path) ? file : throw new CliException($"open {file.Path}: no such file or directory");
    }

    internal static void Write(IEnumerable<ArtifactFile> files, Stream output)
    {
        var writer = new TarWriter(output);
        foreach (var file in files)
        {
            file.Write(writer);
        }

        writer.Finish();
    }

    private void Write(TarWriter writer)
    {
        FileStream source;
        try
        {
            source = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (UnauthorizedAccessException)
        {
            throw new CliException($"open {Path}: permission denied");
        }

        using (source)
        {
            var rest = source.Length;
            writer.WriteHeader(new TarEntry { Kind = TarKind.File, Name = Encoding.UTF8.GetBytes(Name), Mode = 0x1A4, Size = rest });
            var buffer = new byte[128 * 1024];
            while (rest > 0 && source.Read(buffer, 0, (int)Math.Min(buffer.Length, rest)) is > 0 and var read)
            {
                writer.WriteData(buffer.AsSpan(0, read));
                rest -= read;
            }

            if (rest > 0)
            {
                throw new CliException($"{Path} became shorter while it was read");
            }
        }
    }

    /// <summary>Files that come now are of now.</summary>
    internal static FileTime Now => new(DateTimeOffset.UtcNow.ToUnixTimeSeconds(), 0);
}
