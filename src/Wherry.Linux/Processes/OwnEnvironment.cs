using System.Collections;

namespace Wherry.Linux.Processes;

/// <summary>This process's environment in the form programs are given it (environ(7)).</summary>
public static class OwnEnvironment
{
    /// <summary>A copy of every <c>NAME=value</c>.</summary>
    public static IReadOnlyList<string> Entries() =>
        [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => $"{entry.Key}={entry.Value}")];
}
