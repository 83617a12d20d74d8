using Wherry.Errors;

namespace Wherry.Shim.Oci.Commands;

/// <summary>A command failed, in words and with an exit code its callers know from runc.</summary>
public sealed class CommandFailure(string message, int exitCode, Exception? inner) : WherryException(ErrorKind.System, message, inner)
{
    private const int UnknownCommand = 3;

    public int ExitCode { get; } = exitCode;

    /// <summary>As runc puts it and counts it.</summary>
    public static CommandFailure NoSuchCommand(string name) => new($"No help topic for '{name}'; {OciCommandLine.ProgramName} --help lists the commands there are", UnknownCommand, null);

    /// <summary>Says before an error which command failed, as callers see it from runc for those that run programs.</summary>
    public static CommandFailure Of(string command, WherryException failure, int exitCode) =>
        new($"{OciCommandLine.ProgramName} {command} failed: {failure.Message}", exitCode, failure);
}
