using System.Diagnostics;

namespace Wherry.Bench;

public static class Wait
{
    /// <summary>Polls until it holds; at most 30 s.</summary>
    public static void Until(Func<bool> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(30))
            {
                throw new TimeoutException($"after 30 s still not: {what}");
            }

            Thread.Sleep(50);
        }
    }
}
