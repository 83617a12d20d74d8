using Wherry.Errors;

namespace Wherry.Engine.Volumes;

/// <summary>What must be on the host before a container's mounts can be made.</summary>
public static class BindSources
{
    /// <summary>
    /// Makes the missing source directories of <c>-v</c> binds, as Docker does, and refuses the missing ones of
    /// <c>--mount</c>. To be called at every start: sources may have gone since the container was created.
    /// </summary>
    /// <exception cref="WherryException">InvalidParameter: a source does not exist; System: it can't be made.</exception>
    public static void Ensure(IReadOnlyList<ResolvedMount> mounts)
    {
        foreach (var mount in mounts.Where(mount => mount.Type == MountType.Bind && !Path.Exists(mount.Source)))
        {
            if (!mount.CreateSource)
            {
                throw WherryException.Invalid($"invalid mount config for type \"bind\": bind source path does not exist: {mount.Source}");
            }

            try
            {
                Directory.CreateDirectory(mount.Source!);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw WherryException.System($"error while creating mount source path '{mount.Source}': {failure.Message}", failure);
            }
        }
    }
}
