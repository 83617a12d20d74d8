using Wherry.Linux;
using Wherry.Linux.FileTrees;

namespace Wherry.Images;

/// <summary>
/// Brings the store's files to the disk, all at once (syncfs(2)): one wait for each image instead of one for each file.
/// It is begun again and again while layers come in, so that little is left for the end.
/// </summary>
internal sealed class StoreSync(string dataRoot)
{
    /// <summary>Bytes that have been written when the disk is told to begin with them: a fraction of a second's work.</summary>
    private const long Stretch = 64 << 20;

    private readonly Lock _lock = new();
    private long _written;
    private Task _running = Task.CompletedTask;

    /// <summary>Counts what comes in; every so often writing back what is there so far is begun. Its failure shows at <see cref="Finish"/>.</summary>
    /// <param name="bytes">Of a layer's archive.</param>
    internal void Wrote(int bytes)
    {
        if (Interlocked.Add(ref _written, bytes) < Stretch)
            return;
        lock (_lock)
        {
            // One that failed stays: it is what Finish has to tell.
            if (_written < Stretch || !_running.IsCompletedSuccessfully)
                return;
            _written = 0;
            _running = Task.Factory.StartNew(Sync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    /// <summary>Returns when everything written before the call is on the disk.</summary>
    /// <exception cref="LinuxException">The disk failed: what was written may be lost.</exception>
    internal void Finish()
    {
        Task running;
        lock (_lock)
        {
            running = _running;
            if (running.IsFaulted)
                _running = Task.CompletedTask;
        }
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
