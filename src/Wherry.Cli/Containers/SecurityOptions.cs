using System.Buffers;
using System.Text;
using System.Text.Json;
using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Containers;

/// <summary>
/// <c>--security-opt</c>: a seccomp profile's file is read here (the engine may live elsewhere), and
/// <c>systempaths=unconfined</c> becomes empty lists of masked and read-only paths.
/// </summary>
internal sealed record SecurityOptions(IReadOnlyList<string>? Options, bool UnmaskPaths)
{
    internal static SecurityOptions Build(string[] texts)
    {
        var options = new List<string>();
        var unmask = false;
        foreach (var text in texts)
        {
            var separator = text.IndexOf('=');
            if (separator < 0)
            {
                separator = text.IndexOf(':');
            }

            if (separator < 0 && text is not ("no-new-privileges" or "nosuid"))
            {
                throw new UsageException($"Invalid --security-opt: \"{text}\"");
            }

            if (text == "systempaths=unconfined")
            {
                unmask = true;
                continue;
            }

            var value = text[(separator + 1)..];
            options.Add(text.StartsWith("seccomp", StringComparison.Ordinal) && separator == 7 && value is not ("unconfined" or "builtin")
                ? "seccomp=" + ReadProfile(value)
                : text);
        }

        return new SecurityOptions(options.Count == 0 ? null : options, unmask);
    }

    private static string ReadProfile(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var compact = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(compact))
            {
                document.RootElement.WriteTo(writer);
            }

            return Encoding.UTF8.GetString(compact.WrittenSpan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UsageException($"opening seccomp profile ({path}) failed: open {path}: no such file or directory");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"opening seccomp profile ({path}) failed: {e.Message}");
        }
        catch (JsonException e)
        {
            throw new UsageException($"compacting json for seccomp profile ({path}) failed: {e.Message}");
        }
    }
}
