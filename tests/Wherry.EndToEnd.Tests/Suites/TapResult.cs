using System.Text;
using System.Text.RegularExpressions;

namespace Wherry.EndToEnd.Tests.Suites;

/// <summary>One test's result in TAP, the Test Anything Protocol, as bats and crun's tests write it.</summary>
/// <param name="Name">The test's.</param>
/// <param name="Passed">It did not fail; true too when it was skipped.</param>
/// <param name="Skipped">Why it was not run; null when it was.</param>
/// <param name="Output">What it wrote, where it failed.</param>
public sealed partial record TapResult(string Name, bool Passed, string? Skipped, string Output)
{
    public static IReadOnlyList<TapResult> Parse(string text)
    {
        var results = new List<TapResult>();
        var output = new StringBuilder();
        foreach (var line in text.Split('\n').Select(line => line.TrimEnd('\r')))
        {
            if (Result().Match(line) is { Success: true } match)
            {
                output = new StringBuilder();
                var skipped = match.Groups["skip"] is { Success: true } why ? why.Value : null;
                results.Add(new TapResult(match.Groups["name"].Value.TrimEnd(), !match.Groups["not"].Success, skipped, ""));
            }
            else if (results.Count > 0 && !results[^1].Passed)
            {
                output.AppendLine(line);
                results[^1] = results[^1] with { Output = output.ToString() };
            }
        }

        return results;
    }

    // What a program printed last may stand before it in the line; bats's own remarks begin with #.
    [GeneratedRegex("^[^#]*?(?<not>not )?ok [0-9]+ (- )?(?<name>.*?)( # ?skip ?(?<skip>.*))?$", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase)]
    private static partial Regex Result();
}
