using Wherry.Storage.Pipelines;
using Wherry.Transport;

namespace Wherry.Daemon.Instance;

/// <summary>
/// Gives memory back once work is over. The collector runs when something is allocated, so after a burst an idle
/// engine would keep its garbage for as long as it stays idle, which on most hosts is nearly always.
/// </summary>
internal sealed class IdleMemory : IDisposable
{
    private const long Quiet = 128 * 1024;
    private const long WorthCollecting = 1024 * 1024;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Timer _timer;
    private long _atLastLook;
    private long _atLastCollection;

    public IdleMemory() => _timer = new Timer(static state => ((IdleMemory)state!).Look(), this, Interval, Interval);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        var allocated = GC.GetTotalAllocatedBytes();
        if (allocated - _atLastLook < Quiet && allocated - _atLastCollection > WorthCollecting)
        {
            ChunkBuffers.Forget();
            BlockPool.Instance.Forget();

            // The heap is a few megabytes, and nobody waits for an answer: a full collection takes milliseconds.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            _atLastCollection = allocated;
        }

        _atLastLook = allocated;
    }
}
