using Wherry.Transport;

namespace Wherry.Api.Tests.Http;

public sealed class TransportTests
{
    [Fact]
    public async Task A_body_comes_in_pieces_as_large_as_the_pools_blocks_and_whole()
    {
        var largest = 0;
        long sum = 0, length = 0;
        await using var server = await RunningServer.StartAsync(routes => routes.Post("/archive", async request =>
        {
            var reader = request.Http.Request.BodyReader;
            while (true)
            {
                var read = await reader.ReadAsync(request.Aborted);
                foreach (var piece in read.Buffer)
                {
                    largest = Math.Max(largest, piece.Length);
                    length += piece.Length;
                    sum += Sum(piece.Span);
                }

                reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
        }));
        var body = new byte[8 << 20];
        new Random(1).NextBytes(body);
        using var client = server.Client();
        using var content = new ByteArrayContent(body);
        using var answer = await client.PostAsync("/archive", content, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode);
        Assert.Equal((body.Length, Sum(body)), (length, sum));
        // Kestrel's own pool has 4 KiB.
        Assert.InRange(largest, (4 << 10) + 1, BlockPool.BlockSize);
    }

    [Fact]
    public void A_block_given_back_twice_is_nobody_elses()
    {
        var first = BlockPool.Instance.Rent();
        var memory = first.Memory;
        Assert.Equal(BlockPool.BlockSize, memory.Length);
        first.Dispose();
        first.Dispose();
        using var second = BlockPool.Instance.Rent(1);
        using var third = BlockPool.Instance.Rent(BlockPool.BlockSize);
        Assert.False(second.Memory.Span.Overlaps(third.Memory.Span));
        Assert.Throws<ObjectDisposedException>(() => first.Memory);
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockPool.Instance.Rent(BlockPool.BlockSize + 1));
    }

    private static long Sum(ReadOnlySpan<byte> bytes)
    {
        long sum = 0;
        foreach (var value in bytes)
        {
            sum += value;
        }

        return sum;
    }
}
