using System.Buffers.Binary;

namespace Wherry.Runtime.Contracts.Protocol;

/// <summary>What a frame between engine and supervisor says.</summary>
public enum MessageKind
{
    // Requests. Each is answered by Done or Failed with the same tag.

    /// <summary><see cref="LaunchOrder"/>, first and once, on the descriptor the supervisor was started with. Done: <see cref="SandboxSnapshot"/>, as soon as the container's first process exists.</summary>
    Launch = 1,

    /// <summary>Makes the connection a control connection, which is told events. Done: <see cref="SandboxSnapshot"/>.</summary>
    Hello = 2,

    /// <summary>Runs the program. Done, once it is executed: <see cref="SandboxSnapshot"/>.</summary>
    Start = 3,

    /// <summary>Signal number, and whether every process is meant. Done: empty.</summary>
    Signal = 4,

    /// <summary>Rows, columns. Done: empty.</summary>
    Resize = 5,

    /// <summary><see cref="StreamSelection"/>. After Done the connection carries the streams themselves.</summary>
    Attach = 6,

    /// <summary><see cref="ExecOrder"/>. Done: process id; after it the connection carries the streams, if any were asked for.</summary>
    Exec = 7,

    /// <summary>Exec's token, rows, columns. Done: empty.</summary>
    ExecResize = 8,

    Pause = 9,
    Resume = 10,

    /// <summary>Done: process ids.</summary>
    ListProcesses = 11,

    // Between the supervisor and the stage it has cloned.

    /// <summary>To the stage: where the bundle is, and its cgroup's path.</summary>
    StageOrder = 32,

    /// <summary>From the stage: all is made; warnings, and the terminal's descriptor if there is one.</summary>
    StageReady = 33,

    /// <summary>To the stage: run the program. Its answer is the end of the channel, or <see cref="Failed"/>.</summary>
    StageGo = 34,

    /// <summary>To the stage: its maker goes away; the word to run the program comes by a connection to its listener.</summary>
    StageDetach = 35,

    /// <summary>From the stage: all is mounted, and the bundle has hooks for the runtime to run before the root is entered.</summary>
    StageMounted = 36,

    /// <summary>To the stage: the hooks are run.</summary>
    StageContinue = 37,

    // Answers.
    Done = 64,

    /// <summary><see cref="FailedAnswer"/>.</summary>
    Failed = 65,

    // Events, with tag 0, to control connections.

    /// <summary><see cref="ExitRecord"/>; the last thing a supervisor says.</summary>
    Exited = 128,

    /// <summary>Exec's token, exit code.</summary>
    ExecExited = 129,
}

/// <summary>A frame's head.</summary>
/// <param name="PayloadLength">Bytes that follow the head.</param>
/// <param name="Tag">Chosen by whoever asks, returned with the answer.</param>
public readonly record struct Frame(int PayloadLength, MessageKind Kind, uint Tag)
{
    public const int HeaderSize = 12;

    /// <summary>No message is longer: execve itself takes no more than this in arguments and environment.</summary>
    public const int MaxPayload = 8 * 1024 * 1024;

    /// <exception cref="InvalidDataException">The length is out of bounds.</exception>
    public static Frame Parse(ReadOnlySpan<byte> header)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length is < 0 or > MaxPayload)
        {
            throw new InvalidDataException($"a supervisor message claims {length} bytes");
        }

        return new Frame(length, (MessageKind)BinaryPrimitives.ReadInt32LittleEndian(header[4..]), BinaryPrimitives.ReadUInt32LittleEndian(header[8..]));
    }
}
