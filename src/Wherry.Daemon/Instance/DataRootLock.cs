using Wherry.Errors;
using Wherry.Linux.Locks;

namespace Wherry.Daemon.Instance;

/// <summary>Makes sure that a data root has one engine. The kernel takes the lock back however the engine ends.</summary>
internal static class DataRootLock
{
    /// <summary>
    /// A program an engine was just about to execute when it was killed holds the engine's lock until it is
    /// executed, a moment later.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

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

        var end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (true)
        {
            if (FileLock.TryTake(Path.Combine(dataRoot, "engine.lock")) is { } taken)
            {
                return taken;
            }

            if (Environment.TickCount64 >= end)
            {
                throw WherryException.Conflict($"another engine uses {dataRoot}: stop it, or give this one its own --data-root, --exec-root and --bridge");
            }

            Thread.Sleep(20);
        }
    }
}
