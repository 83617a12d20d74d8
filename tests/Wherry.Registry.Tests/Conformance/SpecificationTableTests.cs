using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;

namespace Wherry.Registry.Tests.Conformance;

/// <summary>docs/distribution-spec.md is made of the tests themselves, so that it can't claim what none of them shows.</summary>
public sealed partial class SpecificationTableTests
{
    private const string Head = """
        # distribution-spec, requirement by requirement

        What `wherry registry serve` does of the OCI distribution specification v1.1, and the test that shows it over HTTP. The
        numbers are the specification's own ("Endpoints" and "Error Codes"). This page is generated from the tests in
        `tests/Wherry.Registry.Tests`; after changing them, write it anew with

            WHERRY_WRITE_DOCS=1 dotnet test tests/Wherry.Registry.Tests --filter FullyQualifiedName~SpecificationTableTests

        """;

    private static readonly (string Number, string Request)[] Endpoints =
    [
        ("end-1", "GET /v2/"),
        ("end-2", "GET, HEAD /v2/NAME/blobs/DIGEST"),
        ("end-3", "GET, HEAD /v2/NAME/manifests/REFERENCE"),
        ("end-4a", "POST /v2/NAME/blobs/uploads/"),
        ("end-4b", "POST /v2/NAME/blobs/uploads/?digest=DIGEST"),
        ("end-5", "PATCH /v2/NAME/blobs/uploads/REFERENCE"),
        ("end-6", "PUT /v2/NAME/blobs/uploads/REFERENCE?digest=DIGEST"),
        ("end-7", "PUT /v2/NAME/manifests/REFERENCE"),
        ("end-8a", "GET /v2/NAME/tags/list"),
        ("end-8b", "GET /v2/NAME/tags/list?n=NUMBER&last=TAG"),
        ("end-9", "DELETE /v2/NAME/manifests/REFERENCE"),
        ("end-10", "DELETE /v2/NAME/blobs/DIGEST"),
        ("end-11", "POST /v2/NAME/blobs/uploads/?mount=DIGEST&from=OTHER"),
        ("end-12a", "GET /v2/NAME/referrers/DIGEST"),
        ("end-12b", "GET /v2/NAME/referrers/DIGEST?artifactType=TYPE"),
        ("end-13", "GET /v2/NAME/blobs/uploads/REFERENCE"),
    ];

    private static readonly string[] Codes =
    [
        "BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID", "MANIFEST_UNKNOWN",
        "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED", "DENIED", "UNSUPPORTED", "TOOMANYREQUESTS",
    ];

    [Fact]
    public void The_page_on_the_specification_is_what_the_tests_show()
    {
        var path = Path.Combine(Repository(), "docs", "distribution-spec.md");
        var page = Page();
        if (Environment.GetEnvironmentVariable("WHERRY_WRITE_DOCS") == "1")
        {
            File.WriteAllText(path, page);
        }

        Assert.Equal(page, File.ReadAllText(path));
    }

    [Fact]
    public void Every_endpoint_and_every_error_code_of_the_specification_has_a_test()
    {
        Assert.All(Endpoints, endpoint => Assert.NotEmpty(TestsOf(endpoint.Number)));
        var byCode = TestsByCode();
        Assert.All(Codes, code => Assert.NotEmpty(byCode[code]));
        Assert.Empty(ConformanceTests().SelectMany(test => NumbersIn(test.Name)).Except(Endpoints.Select(endpoint => endpoint.Number)));
    }

    private static string Page()
    {
        var page = new StringBuilder(Head);
        page.Append("\n| endpoint | request | shown by |\n|---|---|---|\n");
        foreach (var (number, request) in Endpoints)
        {
            page.Append($"| {number} | `{request}` | ").AppendJoin("; ", TestsOf(number)).Append(" |\n");
        }

        page.Append("\nWhat else the specification says, beside the endpoints' own answers:\n\n");
        foreach (var test in ConformanceTests().Where(test => !NumbersIn(test.Name).Any()).Select(Sentence).Order(StringComparer.Ordinal))
        {
            page.Append($"- {test}\n");
        }

        page.Append("\n| error | code | shown by |\n|---|---|---|\n");
        var byCode = TestsByCode();
        for (var i = 0; i < Codes.Length; i++)
        {
            page.Append($"| code-{i + 1} | `{Codes[i]}` | ").AppendJoin("; ", byCode[Codes[i]].Distinct().Order(StringComparer.Ordinal)).Append(" |\n");
        }

        return page.ToString();
    }

    private static IEnumerable<MethodInfo> ConformanceTests() =>
        from type in typeof(SpecificationTableTests).Assembly.GetTypes()
        where type.Namespace == typeof(SpecificationTableTests).Namespace && type != typeof(SpecificationTableTests)
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        where method.GetCustomAttributes<FactAttribute>().Any()
        select method;

    private static IEnumerable<string> TestsOf(string number) =>
        ConformanceTests().Where(test => NumbersIn(test.Name).Contains(number)).Select(Sentence).Order(StringComparer.Ordinal);

    private static IEnumerable<string> NumbersIn(string name) => EndpointNumber().Matches(name).Select(match => "end-" + match.Groups["number"].Value).Distinct();

    /// <summary>Which test asserts which code, by the sources: the code stands in the test or nowhere.</summary>
    private static ILookup<string, string> TestsByCode()
    {
        var files = Directory.EnumerateFiles(Path.Combine(Repository(), "tests", "Wherry.Registry.Tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != nameof(SpecificationTableTests) + ".cs");
        var found =
            from file in files
            from test in TestBody().Matches(File.ReadAllText(file))
            from code in CodeInQuotes().Matches(test.Groups["body"].Value)
            select (Code: code.Groups["code"].Value, Test: $"{Path.GetFileNameWithoutExtension(file)}: {test.Groups["name"].Value.Replace('_', ' ')}");
        return found.ToLookup(pair => pair.Code, pair => pair.Test, StringComparer.Ordinal);
    }

    private static string Sentence(MethodInfo test) => $"{test.DeclaringType!.Name}: {test.Name.Replace('_', ' ')}";

    private static string Repository()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Wherry.slnx")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the tests do not run in their repository");
        }

        return directory;
    }

    [GeneratedRegex("(?i)(?<![a-z])end_(?<number>[0-9]+[ab]?)(?![0-9a-z])", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex EndpointNumber();

    /// <summary>A test's name, and its text up to the next one's.</summary>
    [GeneratedRegex(@"public async Task (?<name>\w+)\((?<body>.*?)(?=\n    public |\n    private |\z)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Singleline, 5000)]
    private static partial Regex TestBody();

    [GeneratedRegex("\"(?<code>[A-Z_]{6,})\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex CodeInQuotes();
}
