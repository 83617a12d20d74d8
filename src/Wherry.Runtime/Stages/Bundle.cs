using System.Text.Json;
using Wherry.Errors;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Runtime.Stages;

/// <summary>A bundle's files, read.</summary>
public sealed record Bundle(string Directory, Spec Spec, SandboxOptions Options)
{
    private const int LargestFile = 16 * 1024 * 1024;

    public Process Process => Spec.Process ?? throw WherryException.Invalid("the bundle's configuration has no process");

    public LinuxConfig Linux => Spec.Linux ?? throw WherryException.Invalid("the bundle's configuration has no linux section");

    public string RootPath => Path.Combine(Directory, Spec.Root?.Path ?? throw WherryException.Invalid("the bundle's configuration has no root"));

    /// <exception cref="WherryException">A file is missing or not as it must be.</exception>
    public static Bundle Read(string directory)
    {
        var spec = Parse(Path.Combine(directory, StateFiles.Config), SpecJson.Default.Spec)
            ?? throw WherryException.Invalid($"{directory} is not a bundle: it has no {StateFiles.Config}");
        var options = Parse(Path.Combine(directory, StateFiles.Sandbox), SandboxJson.Default.SandboxOptions) ?? new SandboxOptions();
        return new Bundle(directory, spec, options);
    }

    private static T? Parse<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        byte[] bytes;
        try
        {
            using var file = FileSyscalls.Open(path, OpenFlags.ReadOnly);
            bytes = FileSyscalls.ReadToEnd(file, LargestFile);
        }
        catch (Linux.LinuxException e) when (e.ErrorNumber == Wherry.Linux.Errno.ENOENT)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, type);
        }
        catch (JsonException e)
        {
            throw WherryException.Invalid($"{path}: {e.Message}", e);
        }
    }
}
