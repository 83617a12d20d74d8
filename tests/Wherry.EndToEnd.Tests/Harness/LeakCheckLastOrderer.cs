using Xunit.Sdk;
using Xunit.v3;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>The check that nothing is left behind comes after everything else of its class.</summary>
public sealed class LeakCheckLastOrderer : ITestCaseOrderer
{
    public IReadOnlyCollection<TTestCase> OrderTestCases<TTestCase>(IReadOnlyCollection<TTestCase> testCases)
        where TTestCase : notnull, ITestCase =>
        testCases.OrderBy(test => test.TestMethodName == nameof(EngineTests.Nothing_is_left_behind)).ToArray();
}
