using System.Reflection;
using System.Text;

namespace Wherry.Runtime.Tests.Parts;

/// <summary>docs/runtime-spec.md is made of the tests themselves, so that it can't claim what none of them shows.</summary>
public sealed class SpecTableTests
{
    private const string Head = """
        # runtime-spec, property by property

        What of the OCI runtime specification's Linux configuration Wherry carries out, and the test that shows it
        against real processes. This page is generated from the tests; after changing them, write it anew with

            WHERRY_WRITE_DOCS=1 dotnet test tests/Wherry.Runtime.Tests --filter FullyQualifiedName~SpecTableTests

        A property that the kernel at hand can't do is refused before anything is made, in an error that begins with
        the property's name.

        | property | shown by |
        |---|---|

        """;

    private static string PagePath { get; } = Path.Combine(TestHost.Repository, "docs", "runtime-spec.md");

    [Fact]
    public void The_page_on_the_specification_is_what_the_tests_show()
    {
        var page = Page();
        if (Environment.GetEnvironmentVariable("WHERRY_WRITE_DOCS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(PagePath)!);
            File.WriteAllText(PagePath, page);
        }

        Assert.Equal(page, File.ReadAllText(PagePath));
    }

    [Theory]
    [InlineData(typeof(Oci.Runtime.LinuxConfig), "linux.", "CgroupsPath,Resources,Seccomp")]
    [InlineData(typeof(Oci.Runtime.Process), "process.", "User,SelinuxLabel")]
    [InlineData(typeof(Oci.Runtime.CpuLimits), "linux.resources.cpu.", "")]
    [InlineData(typeof(Oci.Runtime.MemoryLimits), "linux.resources.memory.", "")]
    [InlineData(typeof(Oci.Runtime.Hooks), "hooks.", "")]
    public void Every_property_the_types_have_is_in_the_table(Type type, string prefix, string elsewhere)
    {
        var shown = Properties().Select(entry => entry.Property).ToList();
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name).Except(elsewhere.Split(',')))
        {
            Assert.Contains(shown, name => name.StartsWith(prefix + property, StringComparison.OrdinalIgnoreCase));
        }
    }

    private static string Page()
    {
        var page = new StringBuilder(Head);
        foreach (var group in Properties().GroupBy(entry => entry.Property).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            page.Append("| `").Append(group.Key).Append("` | ").AppendJoin("; ", group.Select(entry => entry.Test).Order(StringComparer.Ordinal)).Append(" |\n");
        }

        return page.ToString();
    }

    private static IEnumerable<(string Property, string Test)> Properties() =>
        from type in typeof(SpecTableTests).Assembly.GetTypes()
        from method in type.GetMethods()
        from property in method.GetCustomAttributes<SpecPropertyAttribute>()
        select (property.Name, $"{type.Name}: {method.Name.Replace('_', ' ')}");
}
