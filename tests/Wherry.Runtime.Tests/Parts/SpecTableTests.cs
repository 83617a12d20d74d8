using System.Globalization;
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

        Each test of a container runs in three modes: made by root, made by root with a user namespace of its own, and
        made by an ordinary user with subordinate ids and no cgroup. *Yes* is: the tests show it there. *Refused* is: they
        show that it is refused by name. *(n)* is: they show a difference, which note n below the table tells. – is: no
        test runs there.

        | property | root | user namespace | rootless | shown by |
        |---|---|---|---|---|

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
        var shown = Properties().Select(entry => entry.Property.Name).ToList();
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => property.Name).Except(elsewhere.Split(',')))
        {
            Assert.Contains(shown, name => name.StartsWith(prefix + property, StringComparison.OrdinalIgnoreCase));
        }
    }

    private static string Page()
    {
        var notes = new List<string>();
        var page = new StringBuilder(Head);
        foreach (var group in Properties().GroupBy(entry => entry.Property.Name).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            page.Append("| `").Append(group.Key).Append("` | ");
            foreach (var mode in (RuntimeMode[])[RuntimeMode.Root, RuntimeMode.UserNamespaced, RuntimeMode.Rootless])
            {
                page.Append(Cell([.. group.Where(entry => entry.Modes.HasFlag(mode)).Select(entry => entry.Property)], mode, notes)).Append(" | ");
            }

            page.AppendJoin("; ", group.Select(entry => entry.Test).Order(StringComparer.Ordinal)).Append(" |\n");
        }

        page.Append('\n');
        for (var i = 0; i < notes.Count; i++)
        {
            page.Append(CultureInfo.InvariantCulture, $"{i + 1}. {notes[i]}\n");
        }

        return page.ToString();
    }

    private static string Cell(IReadOnlyList<SpecPropertyAttribute> shown, RuntimeMode mode, List<string> notes)
    {
        if (shown.Count == 0)
        {
            return "–";
        }

        var words = new List<string> { shown.Any(property => !property.RefusedIn.HasFlag(mode)) ? "yes" : "refused" };
        foreach (var text in shown.Where(property => property.OtherwiseIn.HasFlag(mode)).Select(property => property.Otherwise).Distinct())
        {
            if (!notes.Contains(text))
            {
                notes.Add(text);
            }

            words.Add(string.Create(CultureInfo.InvariantCulture, $"({notes.IndexOf(text) + 1})"));
        }

        return string.Join(' ', words.Take(1).Concat(words.Skip(1).Order(StringComparer.Ordinal)));
    }

    // A test is in the modes that classes derived from its own run it in; one of anything else is root's.
    private static IEnumerable<(SpecPropertyAttribute Property, RuntimeMode Modes, string Test)> Properties() =>
        from type in typeof(SpecTableTests).Assembly.GetTypes()
        where !type.IsSubclassOf(typeof(ConformanceTests)) || type.IsAbstract
        from method in type.GetMethods()
        from property in method.GetCustomAttributes<SpecPropertyAttribute>()
        select (property, ModesOf(type), $"{type.Name}: {method.Name.Replace('_', ' ')}");

    private static RuntimeMode ModesOf(Type type) => type.IsSubclassOf(typeof(ConformanceTests))
        ? type.Assembly.GetTypes().Where(other => other.IsSubclassOf(type)).Aggregate(RuntimeMode.None, (modes, other) => modes | ((ConformanceTests)Activator.CreateInstance(other)!).Mode)
        : RuntimeMode.Root;
}
