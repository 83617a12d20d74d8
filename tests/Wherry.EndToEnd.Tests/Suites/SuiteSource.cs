namespace Wherry.EndToEnd.Tests.Suites;

/// <summary>Where another project's tests come from: Debian's source of it, made ready by <c>eng/suites</c>.</summary>
internal static class SuiteSource
{
    public static string FolderOf(string project) => Path.Combine(Binaries.Repository, "out/suites", project);

    /// <summary>Makes the tests ready, where they are not.</summary>
    /// <param name="project">Its name, also Debian's for its source.</param>
    /// <param name="version">The one that the list is about; others have other tests.</param>
    /// <param name="versionFile">The file of the source that says which it is.</param>
    /// <returns>Why they can't run here; null when they can.</returns>
    public static async Task<string?> PrepareAsync(string project, string version, string versionFile)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return "containers need root";
        }

        var prepared = await Command.ShellAsync($"cd '{Binaries.Repository}' && eng/suites/{project}.sh out/suites/{project}");
        if (prepared.ExitCode != 0)
        {
            return $"{project}'s tests could not be made ready: {prepared.Error.Trim()}";
        }

        var found = (await File.ReadAllTextAsync(Path.Combine(FolderOf(project), versionFile))).Trim();
        return found == version ? null : $"the list is for {project} {version}, and this host's source is {found}";
    }
}
