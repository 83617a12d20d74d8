using Wherry.Storage.Pipelines;

namespace Wherry.Storage.Tests.Pipelines;

public sealed class ChunkQueueTests
{
    private const int Count = 2000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Every_chunk_arrives_in_order_between_threads_and_flows(bool asyncProducer, bool asyncConsumer)
    {
        var queue = new ChunkQueue(CancellationToken.None);
        var consumer = asyncConsumer ? Task.Run(() => ConsumeAsync(queue)) : ThreadBridge.OnThread(() => Consume(queue));
        var producer = asyncProducer ? Task.Run(() => ProduceAsync(queue)) : ThreadBridge.OnThread(() => Produce(queue));
        Assert.True(await producer.WaitAsync(Limit, TestContext.Current.CancellationToken));
        Assert.Equal(Enumerable.Range(0, Count), await consumer.WaitAsync(Limit, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_producers_failure_comes_after_what_it_had_queued()
    {
        var queue = new ChunkQueue(CancellationToken.None);
        Assert.True(queue.Write(Numbered(7)));
        queue.Complete(new ProducerFailedException());
        using var consumer = new ChunkReadStream(queue);
        var bytes = new byte[100];
        Assert.Equal(sizeof(int), consumer.Read(bytes, 0, bytes.Length));
        Assert.Throws<ProducerFailedException>(() => consumer.Read(bytes, 0, bytes.Length));
        await Assert.ThrowsAsync<ProducerFailedException>(async () => await queue.ReadAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_consumer_that_gives_up_ends_the_wait_of_a_producer(bool asyncProducer)
    {
        var queue = new ChunkQueue(CancellationToken.None);
        var producer = asyncProducer ? Task.Run(() => ProduceAsync(queue)) : ThreadBridge.OnThread(() => Produce(queue));
        Assert.Equal(0, Release(queue.Read()!));
        queue.Abandon();
        Assert.False(await producer.WaitAsync(Limit, TestContext.Current.CancellationToken));
        Assert.Null(queue.Read());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cancelling_ends_the_wait_of_either_side(bool waitAsync)
    {
        using var stop = new CancellationTokenSource();
        var (full, empty) = (new ChunkQueue(stop.Token), new ChunkQueue(stop.Token));
        var producer = waitAsync ? Task.Run(() => ProduceAsync(full)) : ThreadBridge.OnThread(() => Produce(full));
        var consumer = waitAsync ? Task.Run(() => ConsumeAsync(empty)) : ThreadBridge.OnThread(() => Consume(empty));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => producer.WaitAsync(Limit, TestContext.Current.CancellationToken));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => consumer.WaitAsync(Limit, TestContext.Current.CancellationToken));
    }

    private static bool Produce(ChunkQueue queue)
    {
        for (var number = 0; number < Count; number++)
        {
            if (!queue.Write(Numbered(number)))
                return false;
        }
        queue.Complete();
        return true;
    }

    private static async Task<bool> ProduceAsync(ChunkQueue queue)
    {
        for (var number = 0; number < Count; number++)
        {
            if (!await queue.WriteAsync(Numbered(number)))
                return false;
        }
        queue.Complete();
        return true;
    }

    private static List<int> Consume(ChunkQueue queue)
    {
        var numbers = new List<int>();
        while (queue.Read() is { } chunk)
            numbers.Add(Release(chunk));
        return numbers;
    }

    private static async Task<List<int>> ConsumeAsync(ChunkQueue queue)
    {
        var numbers = new List<int>();
        while (await queue.ReadAsync() is { } chunk)
            numbers.Add(Release(chunk));
        return numbers;
    }

    private static Chunk Numbered(int number)
    {
        var chunk = new Chunk { Length = sizeof(int) };
        BitConverter.TryWriteBytes(chunk.Buffer, number);
        return chunk;
    }

    private static int Release(Chunk chunk)
    {
        var number = BitConverter.ToInt32(chunk.Content);
        chunk.Release();
        return number;
    }
}
