using Wherry.Errors;

namespace Wherry.Runtime.Contracts.Protocol;

/// <summary>Why a request failed.</summary>
/// <param name="ExitCode">126, 127 or 128 when a program could not be started; 0 for any other request.</param>
public sealed record FailedAnswer(ErrorKind Kind, int ExitCode, string Message)
{
    public static FailedAnswer From(Exception failure) => failure switch
    {
        SandboxStartException start => new(start.Kind, start.ExitCode, start.Message),
        WherryException expected => new(expected.Kind, 0, expected.Message),
        _ => new(ErrorKind.System, 0, failure.Message),
    };

    public WherryException ToException() =>
        ExitCode == 0 ? new WherryException(Kind, Message) : new SandboxStartException(Message, ExitCode);

    public void WriteTo(WireWriter writer)
    {
        writer.Write((int)Kind);
        writer.Write(ExitCode);
        writer.Write(Message);
    }

    public static FailedAnswer ReadFrom(ref WireReader reader) => new((ErrorKind)reader.ReadInt32(), reader.ReadInt32(), reader.ReadString());
}
