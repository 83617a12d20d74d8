using System.Text;

namespace Wherry.Cli.Terminals;

/// <summary>The process's standard input, output and error, and whether each is a terminal.</summary>
internal sealed class StandardStreams
{
    private static readonly UTF8Encoding Encoding = new(encoderShouldEmitUTF8Identifier: false);

    internal StandardStreams()
        : this(new DescriptorStream(0), new DescriptorStream(1), new DescriptorStream(2))
    {
        InputIsTerminal = Libc.IsTerminal(0) == 1;
        OutputIsTerminal = Libc.IsTerminal(1) == 1;
        ErrorIsTerminal = Libc.IsTerminal(2) == 1;
    }

    /// <summary>Streams of a caller's own, none of them a terminal.</summary>
    internal StandardStreams(Stream input, Stream output, Stream error)
    {
        Input = input;
        Output = output;
        Error = error;
        Text = new StreamWriter(output, Encoding, 8192) { NewLine = "\n" };
        ErrorText = new StreamWriter(error, Encoding, 512) { NewLine = "\n", AutoFlush = true };
    }

    internal Stream Input { get; }

    /// <summary>Raw bytes of containers and archives. Flush <see cref="Text"/> before writing here.</summary>
    internal Stream Output { get; }

    internal Stream Error { get; }

    /// <summary>What a command prints; buffered, flushed when the command ends.</summary>
    internal StreamWriter Text { get; }

    internal StreamWriter ErrorText { get; }

    internal bool InputIsTerminal { get; }

    internal bool OutputIsTerminal { get; }

    internal bool ErrorIsTerminal { get; }
}
