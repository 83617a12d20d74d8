namespace Wherry.Storage.Pipelines;

/// <summary>
/// Joins async streams (sockets, request bodies) to code that reads and writes archives synchronously on a thread of
/// its own, so that neither blocks the thread pool and both run at once.
/// </summary>
public static class ThreadBridge
{
    /// <summary>Runs <paramref name="consume"/> on a thread, with <paramref name="source"/> as its stream. It must read to the end.</summary>
    public static async Task<T> ReadAsync<T>(Stream source, Func<Stream, CancellationToken, T> consume, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var queue = new ChunkQueue(stop.Token);
        var consumer = OnThread(() =>
        {
            using var input = new ChunkReadStream(queue);
            return consume(input, stop.Token);
        });
        var pump = PumpAsync(source, queue, stop.Token);
        try
        {
            return await consumer;
        }
        finally
        {
            // The pump's own failure reached the consumer through the queue.
            await stop.CancelAsync();
            await pump;
        }
    }

    /// <summary>Runs <paramref name="produce"/> on a thread and copies what it writes to <paramref name="target"/>.</summary>
    public static async Task WriteAsync(Action<Stream, CancellationToken> produce, Stream target, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var queue = new ChunkQueue(stop.Token);
        var producer = OnThread(() =>
        {
            using var output = new ChunkWriteStream(queue);
            produce(output, stop.Token);
            output.Complete();
            return true;
        });
        try
        {
            await CopyAsync(queue, target, cancel);
        }
        catch (ProducerFailedException)
        {
            // Why, its own task tells.
        }
        catch
        {
            await stop.CancelAsync();
            queue.Abandon();
            await ((Task)producer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        await producer;
    }

    /// <summary>Runs blocking work on a thread that is not the thread pool's.</summary>
    public static Task<T> OnThread<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static async Task PumpAsync(Stream source, ChunkQueue queue, CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var chunk = new Chunk();
                try
                {
                    chunk.Length = await source.ReadAtLeastAsync(chunk.Buffer.AsMemory(0, Chunk.Capacity), Chunk.Capacity, throwOnEndOfStream: false, cancel);
                }
                catch
                {
                    chunk.Release();
                    throw;
                }
                if (chunk.Length == 0)
                {
                    chunk.Release();
                    queue.Complete();
                    return;
                }
                if (!await queue.WriteAsync(chunk))
                    return;
            }
        }
        catch (Exception failure)
        {
            queue.Complete(failure);
        }
    }

    private static async Task CopyAsync(ChunkQueue queue, Stream target, CancellationToken cancel)
    {
        while (await queue.ReadAsync() is { } chunk)
        {
            try
            {
                await target.WriteAsync(chunk.Buffer.AsMemory(0, chunk.Length), cancel);
            }
            finally
            {
                chunk.Release();
            }
        }
        await target.FlushAsync(cancel);
    }
}
