using System.Text;

namespace Wherry.EndToEnd.Tests.Suites;

/// <summary>What the results of another project's tests mean for ours, by the list.</summary>
internal static class SuiteVerdict
{
    /// <summary>Where this is, as eng/vm/test.sh says of its machines.</summary>
    public static SuitePlace Here { get; } = Environment.GetEnvironmentVariable("WHERRY_SUITE_PLACE") is { Length: > 0 } place
        ? Enum.Parse<SuitePlace>(place, ignoreCase: true)
        : SuitePlace.Host;

    /// <summary>Those of a file's tests that are run here; where none is, the test that asks is skipped.</summary>
    public static string[] Chosen(SuiteList list, string file, IReadOnlyList<string> tests)
    {
        var chosen = tests.Where(test => list.IsRun(Here, file, test)).ToArray();
        Assert.SkipWhen(chosen.Length == 0, "nothing of it is run here, says the list");
        return chosen;
    }

    /// <summary>Fails for a test that failed and is not listed, that is listed and passed, or that the machine was to run and did not.</summary>
    public static void Require(SuiteList list, string file, IReadOnlyList<TapResult> results)
    {
        var wrong = new StringBuilder();
        foreach (var result in results)
        {
            wrong.Append(Judge(list.Differs(file, result.Name), result));
        }

        Assert.True(wrong.Length == 0, wrong.ToString());
        Assert.SkipWhen(results.All(result => result.Skipped is not null), $"its tests skip themselves: {results[0].Skipped}");
    }

    private static string Judge(bool differs, TapResult result) => result switch
    {
        { Passed: false } when !differs => $"failed: {result.Name}\n{result.Output}\n",
        { Passed: true, Skipped: null } when differs => $"passes: {result.Name}: take it from the list\n",
        { Skipped: { } why } when Here != SuitePlace.Host => $"skipped where it is to be run: {result.Name}: {why}\n",
        _ => "",
    };
}
