using System.Diagnostics;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>Waits for what happens by itself, with a bound.</summary>
public static class Eventually
{
    public static async Task TrueAsync(Func<Task<bool>> condition, string promise, double seconds = 15)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed.TotalSeconds > seconds)
            {
                Assert.Fail($"after {seconds} s still not: {promise}");
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public static Task TrueAsync(Func<bool> condition, string promise, double seconds = 15) =>
        TrueAsync(() => Task.FromResult(condition()), promise, seconds);

    /// <summary>Repeats an assertion until it holds, and fails with its last failure.</summary>
    public static async Task HoldsAsync(Func<Task> assertion, double seconds = 15)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await assertion();
                return;
            }
            catch (Exception) when (watch.Elapsed.TotalSeconds < seconds)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }
    }
}
