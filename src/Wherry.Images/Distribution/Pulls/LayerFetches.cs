using Wherry.Errors;
using Wherry.Images.Content;
using Wherry.Oci.Images;

namespace Wherry.Images.Distribution.Pulls;

/// <summary>Writes a layer's bytes from where the input stands, and tells how many there are by now.</summary>
internal delegate Task LayerSource(LayerInput input, Action<long> progress, CancellationToken cancel);

/// <summary>
/// Layers on their way in, each once however many pulls want it. The one that came first pays with its session; when it
/// is cancelled and others still wait, the transfer goes on for them, and when it fails each of them tries for itself.
/// </summary>
internal sealed class LayerFetches(BlobStore blobs, LayerReceiver receiver, int atOnce)
{
    private readonly SemaphoreSlim _slots = new(atOnce, atOnce);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Fetch> _fetches = new(StringComparer.Ordinal);

    /// <summary>Waits until a layer has come in, by this caller's source or by another's that was there before.</summary>
    /// <param name="layer">What to fetch.</param>
    /// <param name="source">Writes its bytes.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancel">Ends this caller's wait.</param>
    internal async Task<FetchedLayer> FetchAsync(Descriptor layer, LayerSource source, Action<long> progress, CancellationToken cancel)
    {
        while (true)
        {
            var (fetch, mine) = Join(layer, source, progress);
            try
            {
                await fetch.Arrival!.WaitAsync(cancel);
                return new FetchedLayer(this, fetch, progress);
            }
            catch (Exception) when (!mine && !cancel.IsCancellationRequested)
            {
                Leave(fetch, progress);
            }
            catch
            {
                Leave(fetch, progress);
                throw;
            }
        }
    }

    /// <summary>Reports how far a layer is to all who wait for it.</summary>
    private void Report(Fetch fetch, long bytes)
    {
        Action<long>[] listeners;
        lock (_lock)
            listeners = [.. fetch.Listeners];
        foreach (var listener in listeners)
            listener(bytes);
    }

    private (Fetch Fetch, bool Mine) Join(Descriptor layer, LayerSource source, Action<long> progress)
    {
        lock (_lock)
        {
            var mine = !_fetches.TryGetValue(layer.Digest, out var fetch);
            if (fetch is not null && fetch.Layer.Size != layer.Size)
                throw WherryException.Invalid($"layer {layer.Digest} has {layer.Size} bytes by one manifest and {fetch.Layer.Size} by another that is being pulled");
            if (fetch is null)
            {
                fetch = new Fetch(layer, blobs.Hold([layer.Digest]));
                _fetches.Add(layer.Digest, fetch);
                fetch.Arrival = Task.Run(() => RunAsync(fetch, source));
            }
            fetch.Users++;
            fetch.Listeners.Add(progress);
            return (fetch, mine);
        }
    }

    private async Task<LayerArrival> RunAsync(Fetch fetch, LayerSource source)
    {
        try
        {
            await _slots.WaitAsync(fetch.Stop.Token);
            try
            {
                return await receiver.ReceiveAsync(
                    fetch.Layer.Digest,
                    fetch.Layer.Size,
                    (input, stop) => source(input, bytes => Report(fetch, bytes), stop),
                    fetch.Stop.Token);
            }
            finally
            {
                _slots.Release();
            }
        }
        catch
        {
            lock (_lock)
                Forget(fetch);
            throw;
        }
    }

    /// <summary>The last one to leave ends a transfer under way, and drops the files that nobody gave a place.</summary>
    private void Leave(Fetch fetch, Action<long> listener)
    {
        lock (_lock)
        {
            fetch.Listeners.Remove(listener);
            if (--fetch.Users > 0)
                return;
            Forget(fetch);
        }
        fetch.Stop.Cancel();
        _ = fetch.Arrival!.ContinueWith(
            static (task, state) =>
            {
                var fetch = (Fetch)state!;
                if (task.IsCompletedSuccessfully)
                    task.Result.Dispose();
                else
                    _ = task.Exception; // each waiter has heard of it
                fetch.Hold.Dispose();
                fetch.Stop.Dispose();
            },
            fetch,
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
    }

    private void Forget(Fetch fetch)
    {
        if (_fetches.GetValueOrDefault(fetch.Layer.Digest) == fetch)
            _fetches.Remove(fetch.Layer.Digest);
    }

    internal sealed class Fetch(Descriptor layer, BlobStore.ContentHold hold)
    {
        internal Descriptor Layer { get; } = layer;

        internal BlobStore.ContentHold Hold { get; } = hold;

        internal CancellationTokenSource Stop { get; } = new();

        internal Task<LayerArrival>? Arrival { get; set; }

        internal int Users { get; set; }

        internal List<Action<long>> Listeners { get; } = [];
    }

    /// <summary>A layer that has come in, as one of its users has it.</summary>
    internal sealed class FetchedLayer(LayerFetches all, Fetch fetch, Action<long> listener) : IDisposable
    {
        private bool _left;

        /// <summary>The arrival, with its files for the first who asks; others find the layer in the store, or unpack the archive again.</summary>
        internal LayerArrival Take()
        {
            var arrival = fetch.Arrival!.GetAwaiter().GetResult();
            lock (all._lock)
            {
                var mine = new LayerArrival { BlobDigest = arrival.BlobDigest, BlobSize = arrival.BlobSize, DiffId = arrival.DiffId, Compression = arrival.Compression, Staged = arrival.Staged };
                arrival.Staged = null;
                return mine;
            }
        }

        public void Dispose()
        {
            if (_left)
                return;
            _left = true;
            all.Leave(fetch, listener);
        }
    }
}
