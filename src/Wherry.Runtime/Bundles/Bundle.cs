using System.Text.Json;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Runtime.Bundles;

/// <summary>A bundle's files, read.</summary>
public sealed record Bundle(string Directory, Spec Spec, SandboxOptions Options)
{
    private const int LargestFile = 16 * 1024 * 1024;

    public Process Process => Spec.Process ?? throw WherryException.Invalid("the bundle's configuration has no process");

    public LinuxConfig Linux => Spec.Linux ?? throw WherryException.Invalid("the bundle's configuration has no linux section");

    public string RootPath => Spec.Root is { Path.Length: > 0 } root
        ? Path.Combine(Directory, root.Path)
        : throw WherryException.Invalid("the bundle's configuration has no root");

    /// <exception cref="WherryException">A file is missing or not as it must be.</exception>
    public static Bundle Read(string directory)
    {
        var spec = Parse(Path.Combine(directory, StateFiles.Config), SpecReader.Spec)
            ?? throw WherryException.Invalid($"{directory} is not a bundle: it has no {StateFiles.Config}");
        var options = Parse(Path.Combine(directory, StateFiles.Sandbox), SandboxReader.SandboxOptions) ?? new SandboxOptions();
        return new Bundle(directory, spec, options);
    }

    /// <summary>The text of a bundle's configuration.</summary>
    public static byte[] ReadConfig(string directory)
    {
        using var file = FileSyscalls.Open(Path.Combine(directory, StateFiles.Config), OpenFlags.ReadOnly);
        return FileSyscalls.ReadToEnd(file, LargestFile);
    }

    /// <summary>The same as <see cref="Read(string)"/> from files that somebody else has opened, and that are closed here.</summary>
    /// <param name="directory">Where they lie.</param>
    /// <param name="config">The configuration.</param>
    /// <param name="sandbox">The other file; null if there is none.</param>
    public static Bundle Read(string directory, FileDescriptor config, FileDescriptor? sandbox)
    {
        using (config)
        using (sandbox)
        {
            var spec = Parse(FileSyscalls.ReadToEnd(config, LargestFile), StateFiles.Config, SpecReader.Spec);
            var options = sandbox is null ? new SandboxOptions() : Parse(FileSyscalls.ReadToEnd(sandbox, LargestFile), StateFiles.Sandbox, SandboxReader.SandboxOptions);
            return new Bundle(directory, spec, options);
        }
    }

    /// <summary>Reads a configuration from its text.</summary>
    /// <exception cref="WherryException">It is not as it must be.</exception>
    public static Spec ParseSpec(ReadOnlySpan<byte> text) => Parse(text, StateFiles.Config, SpecReader.Spec);

    /// <summary>Reads a program's description from its text, as <c>exec --process</c> takes it.</summary>
    /// <exception cref="WherryException">It is not as it must be.</exception>
    public static Process ParseProcess(ReadOnlySpan<byte> text, string name) => Parse(text, name, ProcessReader.Process);

    /// <summary>Reads limits from their text, as <c>update --resources</c> takes them.</summary>
    /// <exception cref="WherryException">They are not as they must be.</exception>
    public static Resources ParseResources(ReadOnlySpan<byte> text, string name) => Parse(text, name, ResourcesReader.Resources);

    private static T? Parse<T>(string path, JsonValueReader<T> read)
        where T : class
    {
        byte[] bytes;
        try
        {
            using var file = FileSyscalls.Open(path, OpenFlags.ReadOnly);
            bytes = FileSyscalls.ReadToEnd(file, LargestFile);
        }
        catch (LinuxException e) when (e.ErrorNumber == Errno.ENOENT)
        {
            return null;
        }

        return Parse(bytes, path, read);
    }

    private static T Parse<T>(ReadOnlySpan<byte> bytes, string path, JsonValueReader<T> read)
    {
        try
        {
            var json = new Utf8JsonReader(bytes);
            json.Read();
            return read(ref json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The reader's own complaints know where; ours know what.
            var what = e is JsonException { LineNumber: { } line } at ? $"malformed JSON at line {line + 1}, column {at.BytePositionInLine + 1}" : e.Message;
            throw WherryException.Invalid($"{path}: {what}", e);
        }
    }
}
