using Wherry.Errors;

namespace Wherry.Runtime.Contracts;

/// <summary>A program could not be started in a sandbox.</summary>
/// <param name="message">What was being done, on what, and the errno.</param>
/// <param name="exitCode">What the container's state shows: 127 not found, 126 not executable, 128 anything before.</param>
public sealed class SandboxStartException(string message, int exitCode)
    : WherryException(exitCode is 126 or 127 ? ErrorKind.InvalidParameter : ErrorKind.System, message)
{
    public int ExitCode { get; } = exitCode;
}
