using System.Diagnostics;
using Wherry.Networking.Bridge;
using Wherry.Networking.Tests.Support;

namespace Wherry.Networking.Tests.Bridge;

/// <summary>Bounds a busy machine still meets; the figures are printed for whoever wants the real ones.</summary>
[Collection("private host")]
public sealed class SpeedTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Connecting_costs_the_same_for_the_first_and_the_two_hundredth()
    {
        await using var network = new Network();
        await network.AddAsync("warm", new PortRequest("tcp", 1, HostIp: null, 0));
        var connects = new List<double>();
        var endpoints = new List<(Namespace Inside, Endpoint Endpoint)>();
        for (var i = 0; i < 200; i++)
        {
            var inside = await Namespace.CreateAsync();
            var since = Stopwatch.GetTimestamp();
            endpoints.Add((inside, await network.Bridge.ConnectAsync(Network.Request($"c{i}", inside, new PortRequest("tcp", 80, HostIp: null, 0)))));
            connects.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }

        var disconnects = new List<double>();
        foreach (var (inside, endpoint) in endpoints)
        {
            inside.Dispose();
            var since = Stopwatch.GetTimestamp();
            await network.Bridge.DisconnectAsync(endpoint);
            disconnects.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }

        var first = Median(connects[..50]);
        var last = Median(connects[^50..]);
        output.WriteLine($"connect, first 50: {first:0.00} ms; last 50 of 200: {last:0.00} ms; disconnect: {Median(disconnects):0.00} ms");
        Assert.True(first < 20, $"{first} ms");
        Assert.True(last < (3 * first) + 2, $"{last} ms after {first} ms");
        Assert.True(Median(disconnects) < 10);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
