using Wherry.Linux;
using Wherry.Linux.FileTrees;

namespace Wherry.Images;

/// <summary>
/// Brings the store's files to the disk, all at once (syncfs(2)): one wait for each image instead of one for each file.
/// It is begun while further layers still come in, so that little is left for the end.
/// </summary>
internal sealed class StoreSync(string dataRoot)
{
    private readonly Lock _lock = new();
    private Task _running = Task.CompletedTask;

    /// <summary>Starts writing back what is there so far, unless that goes on already. Its failure shows at <see cref="Finish"/>.</summary>
    internal void Begin()
    {
        lock (_lock)
        {
            if (_running.IsCompleted)
                _running = Task.Factory.StartNew(Sync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    /// <summary>Returns when everything written before the call is on the disk.</summary>
    /// <exception cref="LinuxException">The disk failed: what was written may be lost.</exception>
    internal void Finish()
    {
        Task running;
        lock (_lock)
            running = _running;
        running.GetAwaiter().GetResult();
        Sync();
    }

    private void Sync()
    {
        using var root = FileTree.OpenDirectory(dataRoot);
        if (FileTree.SyncFileSystem(root) is var errno and not 0)
            throw new LinuxException($"bring {dataRoot} to the disk", errno);
    }
}
