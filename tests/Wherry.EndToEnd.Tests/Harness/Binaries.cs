namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>Where the programs under test and the tools that test them are.</summary>
public static class Binaries
{
    public static string Repository { get; } = FindRepository();

    /// <summary>The folder <c>make build</c> fills; WHERRY_OUT names another.</summary>
    public static string Out { get; } = Environment.GetEnvironmentVariable("WHERRY_OUT") is { Length: > 0 } named
        ? named
        : Path.Combine(Repository, "out");

    public static string Wherry => Built("wherry");

    public static string Wherryd => Built("wherryd");

    public static string Shim => Built("wherry-shim");

    public static string OciRuntime => Built("wherry-oci");

    /// <summary>The docker command line: the host's own, else Debian's, unpacked and not installed.</summary>
    public static string Docker { get; } = Find("docker") ?? DebianDocker();

    /// <summary>Every docker command line at hand, for promises that hold across its versions.</summary>
    public static IReadOnlyList<string> AllDockers { get; } =
        new[] { Find("docker"), DebianDocker() }.OfType<string>().Distinct(StringComparer.Ordinal).ToArray();

    /// <summary>Looks a program up in PATH and where the superuser's programs are.</summary>
    public static string? Find(string name) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/local/sbin:/usr/sbin:/sbin"
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    /// <summary>The same, and the test is skipped where the host has none.</summary>
    public static string Need(string name)
    {
        var path = Find(name);
        Assert.SkipWhen(path is null, $"this host has no {name}");
        return path!;
    }

    private static string Built(string name)
    {
        var path = Path.Combine(Out, name);
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} does not exist: make build comes first");
    }

    private static string DebianDocker()
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(Path.Combine(Repository, "eng/docker-cli.sh"))
        {
            WorkingDirectory = Repository,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        var path = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 ? path : throw new InvalidOperationException("there is no docker command line to test with");
    }

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Wherry.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("the tests run from within the repository");
    }
}
