using System.Text.RegularExpressions;

namespace Wherry.EndToEnd.Tests.Suites;

/// <summary>runc's integration tests, unpacked and made ready to run with our runtime.</summary>
public sealed partial class RuncSuite : IAsyncLifetime
{
    private static readonly TimeSpan LongestFile = TimeSpan.FromMinutes(4);

    private string? _missing;

    private static string Folder { get; } = SuiteSource.FolderOf("runc");

    private static string TestFolder { get; } = Path.Combine(Folder, "tests/integration");

    public static SuiteList List { get; } = SuiteList.Read(Path.Combine(Binaries.Repository, "tests/Wherry.EndToEnd.Tests/Suites/runc.list"));

    public async ValueTask InitializeAsync() => _missing = await SuiteSource.PrepareAsync("runc", "1.1.5", "VERSION");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public void Need()
    {
        Binaries.Need("bats");
        Binaries.Need("jq");
        Assert.SkipWhen(_missing is not null, _missing ?? "");
    }

    public static IEnumerable<string> Files => Directory.GetFiles(TestFolder, "*.bats").Select(path => Path.GetFileName(path));

    /// <summary>The names of a file's tests.</summary>
    public static IReadOnlyList<string> TestsOf(string file) =>
        [.. TestHead().Matches(File.ReadAllText(Path.Combine(TestFolder, file))).Select(match => match.Groups["name"].Value)];

    /// <summary>Runs some of a file's tests, in the order they are in.</summary>
    public static async Task<IReadOnlyList<TapResult>> RunAsync(string file, IReadOnlyList<string> tests)
    {
        var temporary = $"/var/tmp/wherry-e2e/runc-{Environment.ProcessId}-{Path.GetFileNameWithoutExtension(file)}";
        Directory.CreateDirectory(temporary);
        try
        {
            var environment = new Dictionary<string, string?>
            {
                ["RUNC"] = Binaries.OciRuntime,
                ["RUNC_USE_SYSTEMD"] = SuiteVerdict.Here == SuitePlace.Systemd ? "yes" : null,
                ["PATH"] = $"{Folder}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                ["TMPDIR"] = temporary,
            };
            var filter = $"^({string.Join('|', tests.Select(ForExtendedExpressions))})$";
            var run = await Command.RunAsync("bats", ["--formatter", "tap", "--filter", filter, Path.Combine(TestFolder, file)], environment, input: null, LongestFile);
            var results = TapResult.Parse(run.Output);
            return results.Count == tests.Count ? results : throw new InvalidOperationException($"{results.Count} results of {tests.Count} tests\n{run}");
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }

    private static string ForExtendedExpressions(string text) => Special().Replace(text, "[$0]").Replace("[^]", "\\^", StringComparison.Ordinal);

    [GeneratedRegex(@"[][.*+?(){}|$^\\]")]
    private static partial Regex Special();

    [GeneratedRegex("^@test \"(?<name>.*)\" \\{$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex TestHead();
}
