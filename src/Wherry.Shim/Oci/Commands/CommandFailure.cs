using Wherry.Errors;

namespace Wherry.Shim.Oci.Commands;

/// <summary>A command failed, in words and with an exit code its callers know from runc.</summary>
public sealed class CommandFailure(string message, int exitCode, Exception inner) : WherryException(ErrorKind.System, message, inner)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>Says before an error which command failed, as callers see it from runc for those that run programs.</summary>
    public static CommandFailure Of(string command, WherryException failure, int exitCode) =>
        new($"{OciCommandLine.ProgramName} {command} failed: {failure.Message}", exitCode, failure);
}
