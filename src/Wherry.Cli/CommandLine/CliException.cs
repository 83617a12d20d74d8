namespace Wherry.Cli.CommandLine;

/// <summary>A command failed in a way the user can understand: its message is shown, its exit code is the program's.</summary>
internal class CliException(string message, int exitCode = 1) : Exception(message)
{
    internal int ExitCode { get; } = exitCode;

    /// <summary>What to do next, shown on a line of its own.</summary>
    internal string? Hint { get; init; }

    /// <summary>True for a command that already printed why it failed, or whose exit code says it all.</summary>
    internal bool Silent => Message.Length == 0;
}

/// <summary>The command line itself is wrong. 125 as Docker has it: nothing was run.</summary>
internal sealed class UsageException(string message, int exitCode = 125) : CliException(message, exitCode)
{
    /// <summary>A value that an option can't take, in Docker's words.</summary>
    internal static UsageException InvalidValue(string option, string value, string reason)
        => new($"invalid argument \"{value}\" for \"{option}\" flag: {reason}");
}
