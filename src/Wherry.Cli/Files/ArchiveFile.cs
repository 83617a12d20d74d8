using Wherry.Cli.CommandLine;
using Wherry.Cli.Engine;

namespace Wherry.Cli.Files;

/// <summary>An archive that the engine sends, as a file.</summary>
internal static class ArchiveFile
{
    /// <summary>The file appears under its name when it is complete, or not at all.</summary>
    internal static void Write(HttpResponse response, string path, string failing)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory && !Directory.Exists(directory))
        {
            throw new CliException($"{failing}: invalid output path: directory \"{directory}\" does not exist");
        }

        // A device is written to, and a link's target: neither is replaced.
        if (path.StartsWith("/dev/", StringComparison.Ordinal) || new FileInfo(path) is { Exists: true, LinkTarget: not null })
        {
            using var direct = File.OpenWrite(path);
            response.CopyTo(direct, 128 * 1024);
            return;
        }

        var partial = $"{path}.{Environment.ProcessId}.partial";
        try
        {
            using (var file = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                response.CopyTo(file, 128 * 1024);
            }

            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }
}
