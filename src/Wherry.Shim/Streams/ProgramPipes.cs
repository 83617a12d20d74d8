using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Runtime.Contracts;

namespace Wherry.Shim.Streams;

/// <summary>The program's ends of its pipes, to be closed once the program has them. Streams not asked for are /dev/null.</summary>
public sealed class ProgramPipes : IDisposable
{
    private ProgramPipes(FileDescriptor stdin, FileDescriptor stdout, FileDescriptor stderr)
    {
        Stdin = stdin;
        Stdout = stdout;
        Stderr = stderr;
    }

    public FileDescriptor Stdin { get; }

    public FileDescriptor Stdout { get; }

    public FileDescriptor Stderr { get; }

    /// <summary>Makes the pipes, giving our ends to <paramref name="streams"/>.</summary>
    public static ProgramPipes Make(ProgramStreams streams, StreamSelection selection) => new(
        selection.Stdin ? MakeInput(streams) : OpenNull(OpenFlags.ReadOnly),
        selection.Stdout ? MakeOutput(streams, OutputKind.Stdout) : OpenNull(OpenFlags.WriteOnly),
        selection.Stderr ? MakeOutput(streams, OutputKind.Stderr) : OpenNull(OpenFlags.WriteOnly));

    public void Dispose()
    {
        Stdin.Dispose();
        Stdout.Dispose();
        Stderr.Dispose();
    }

    private static FileDescriptor MakeInput(ProgramStreams streams)
    {
        var (read, write) = FileSyscalls.Pipe();
        streams.UseInput(write);
        return read;
    }

    private static FileDescriptor MakeOutput(ProgramStreams streams, OutputKind kind)
    {
        var (read, write) = FileSyscalls.Pipe();
        streams.UseOutput(kind, read);
        return write;
    }

    private static FileDescriptor OpenNull(int flags) => FileSyscalls.Open("/dev/null", flags);
}
