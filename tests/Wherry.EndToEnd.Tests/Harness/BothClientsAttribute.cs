using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>
/// Runs a theory with the docker command line and again with wherry; with one of them where WHERRY_TEST_CLIENT names it.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BothClientsAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new(Environment.GetEnvironmentVariable("WHERRY_TEST_CLIENT") is { Length: > 0 } one
            ? [new TheoryDataRow<string>(one)]
            : [new TheoryDataRow<string>(Clients.Docker), new TheoryDataRow<string>(Clients.Wherry)]);

    public override bool SupportsDiscoveryEnumeration() => true;
}
