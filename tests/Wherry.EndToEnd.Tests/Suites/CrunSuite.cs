using System.Text.RegularExpressions;

namespace Wherry.EndToEnd.Tests.Suites;

/// <summary>crun's tests, unpacked and made ready to run with our runtime.</summary>
public sealed partial class CrunSuite : IAsyncLifetime
{
    private static readonly TimeSpan LongestFile = TimeSpan.FromMinutes(4);

    private string? _missing;

    private static string TestFolder { get; } = Path.Combine(SuiteSource.FolderOf("crun"), "tests");

    private static string Parts { get; } = Path.Combine(Binaries.Repository, "eng/suites/crun");

    public static SuiteList List { get; } = SuiteList.Read(Path.Combine(Binaries.Repository, "tests/Wherry.EndToEnd.Tests/Suites/crun.list"));

    public static IEnumerable<string> Files => Directory.GetFiles(TestFolder, "test_*.py").Select(path => Path.GetFileName(path));

    public async ValueTask InitializeAsync() => _missing = await SuiteSource.PrepareAsync("crun", "1.8.1", ".tarball-version");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public void Need() => Assert.SkipWhen(_missing is not null, _missing ?? "");

    /// <summary>The names of a file's tests.</summary>
    public static IReadOnlyList<string> TestsOf(string file) =>
        [.. TestEntry().Matches(File.ReadAllText(Path.Combine(TestFolder, file))).Select(match => match.Groups["name"].Value)];

    /// <summary>Runs some of a file's tests, on a terminal, which some of them ask for.</summary>
    public static async Task<IReadOnlyList<TapResult>> RunAsync(string file, IReadOnlyList<string> tests)
    {
        // Their own folder is made in the working directory, where they look for their helper, too.
        var work = Directory.CreateTempSubdirectory("wherry-crun-suite");
        try
        {
            File.CreateSymbolicLink(Path.Combine(work.FullName, "tests"), TestFolder);
            var environment = new Dictionary<string, string?>
            {
                ["RUN_TESTS"] = string.Join(' ', tests),
                ["OCI_RUNTIME"] = Path.Combine(Parts, "runtime"),
                ["RUNTIME"] = Binaries.OciRuntime,
                ["INIT"] = Path.Combine(TestFolder, "init"),
                ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                ["PYTHONPATH"] = Parts,
                ["PYTHONDONTWRITEBYTECODE"] = "1",
            };
            var script = $"cd {work.FullName} && exec /usr/bin/python3 tests/{file}";
            var run = await Command.RunAsync(Binaries.Need("script"), ["-qefc", script, "/dev/null"], environment, input: null, LongestFile);
            var results = TapResult.Parse(run.Output);
            return results.Count == tests.Count ? results : throw new InvalidOperationException($"{results.Count} results of {tests.Count} tests\n{run}");
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    [GeneratedRegex("""^\s+"(?<name>[^"]+)"\s*:\s*test_\w+,?\s*$""", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex TestEntry();
}
