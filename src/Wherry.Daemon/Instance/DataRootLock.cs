using Wherry.Errors;
using Wherry.Linux.Locks;

namespace Wherry.Daemon.Instance;

/// <summary>Makes sure that a data root has one engine. The kernel takes the lock back however the engine ends.</summary>
internal static class DataRootLock
{
    public static FileLock Take(string dataRoot)
    {
        try
        {
            Directory.CreateDirectory(dataRoot);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw WherryException.System($"make data root {dataRoot}: {failure.Message}", failure);
        }

        return FileLock.TryTake(Path.Combine(dataRoot, "engine.lock"))
            ?? throw WherryException.Conflict($"another engine uses {dataRoot}: stop it, or give this one its own --data-root, --exec-root and --bridge");
    }
}
