using Wherry.Errors;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Checkpoints;

/// <summary>
/// The file of CRIU's own settings that a container's dumps and restores go by (criu(8), "Configuration files"). They go
/// before what the command is told.
/// </summary>
public static class CriuSettings
{
    // As podman's users and others' runtimes know it; empty for no file at all.
    private const string Annotation = "org.criu.config";
    private const string HostsFile = "/etc/criu/wherry-oci.conf";

    /// <returns>Its path; null for none.</returns>
    /// <exception cref="WherryException">The container names one that isn't there.</exception>
    public static string? Find(Spec spec)
    {
        if (spec.Annotations?.GetValueOrDefault(Annotation) is not { } path)
        {
            return File.Exists(HostsFile) ? HostsFile : null;
        }

        if (path.Length == 0)
        {
            return null;
        }

        return !Path.IsPathRooted(path)
            ? throw WherryException.Invalid($"annotation {Annotation}: \"{path}\" must be an absolute path")
            : File.Exists(path) ? path : throw WherryException.NotFound($"annotation {Annotation}: there is no file {path}");
    }
}
