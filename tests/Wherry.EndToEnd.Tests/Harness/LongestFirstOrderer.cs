using Wherry.EndToEnd.Tests.Suites;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Wherry.EndToEnd.Tests.Harness.LongestFirstOrderer))]

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>Classes run beside each other; the longest begin, so that at the end none of them runs alone.</summary>
public sealed class LongestFirstOrderer : ITestCollectionOrderer
{
    private static readonly string[] Longest = [nameof(RuncSuiteTests), nameof(EngineCrashTests), nameof(StoryTests)];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        testCollections.OrderByDescending(IsLong).ToArray();

    private static bool IsLong<TTestCollection>(TTestCollection collection)
        where TTestCollection : ITestCollection =>
        Array.Exists(Longest, name => collection.TestCollectionDisplayName.Contains($".{name} ", StringComparison.Ordinal));
}
