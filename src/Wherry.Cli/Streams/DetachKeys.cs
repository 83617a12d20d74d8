namespace Wherry.Cli.Streams;

/// <summary>
/// The keys that detach from a terminal (<c>ctrl-p,ctrl-q</c>). The engine acts on them; we only notice that they
/// were typed, to tell a stream that ended by them from one that ended with its program.
/// </summary>
internal sealed class DetachKeys
{
    private readonly byte[] _sequence;
    private int _matched;

    private DetachKeys(byte[] sequence) => _sequence = sequence;

    /// <summary>True once the whole sequence was typed.</summary>
    internal bool Typed { get; private set; }

    /// <summary>Reads the value of <c>--detach-keys</c>; null means the default. The engine reports values it can't read.</summary>
    internal static DetachKeys Parse(string? text)
    {
        var sequence = new List<byte>();
        foreach (var key in (string.IsNullOrEmpty(text) ? "ctrl-p,ctrl-q" : text).Split(','))
        {
            switch (key)
            {
                case ['c' or 'C', 't' or 'T', 'r' or 'R', 'l' or 'L', '-', var control]:
                    sequence.Add((byte)(char.ToUpperInvariant(control) & 0x1F));
                    break;
                case [var plain]:
                    sequence.Add((byte)plain);
                    break;
            }
        }

        return new DetachKeys([.. sequence]);
    }

    /// <summary>Looks at what was typed.</summary>
    internal void Observe(ReadOnlySpan<byte> typed)
    {
        foreach (var key in typed)
        {
            if (_matched < _sequence.Length && key == _sequence[_matched])
            {
                _matched++;
                Typed |= _matched == _sequence.Length;
            }
            else
            {
                _matched = _sequence.Length > 0 && key == _sequence[0] ? 1 : 0;
            }
        }
    }
}
