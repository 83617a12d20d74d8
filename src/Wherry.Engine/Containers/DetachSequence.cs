using Wherry.Errors;

namespace Wherry.Engine.Containers;

/// <summary>
/// Recognizes the keys that detach a client from a terminal (Docker's <c>--detach-keys</c>, by default
/// Ctrl-P Ctrl-Q). Keys that begin the sequence are held back until it is clear that they are not part of it.
/// </summary>
internal sealed class DetachSequence(byte[] keys)
{
    private int _matched;

    public static byte[] DefaultKeys { get; } = [16, 17];

    public bool Completed => _matched == keys.Length;

    /// <summary>Parses <c>ctrl-p,ctrl-q</c> or <c>a</c>; empty or null gives the default.</summary>
    /// <exception cref="WherryException">A key is neither one character nor <c>ctrl-</c> and one of a–z @ [ \ ] ^ _.</exception>
    public static DetachSequence Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return new DetachSequence(DefaultKeys);
        }

        return new DetachSequence([.. text.Split(',').Select(ParseKey)]);
    }

    /// <summary>The bytes to pass on; stops at the end of the sequence.</summary>
    public byte[] Filter(ReadOnlySpan<byte> input)
    {
        var passed = new List<byte>(input.Length + _matched);
        foreach (var key in input)
        {
            if (key == keys[_matched])
            {
                _matched++;
                if (Completed)
                {
                    break;
                }

                continue;
            }

            passed.AddRange(keys.AsSpan(0, _matched));
            _matched = key == keys[0] ? 1 : 0;
            if (_matched == 0)
            {
                passed.Add(key);
            }
            else if (Completed)
            {
                break;
            }
        }

        return [.. passed];
    }

    private static byte ParseKey(string key)
    {
        if (key.Length == 1 && key[0] < 128)
        {
            return (byte)key[0];
        }

        if (key.Length == 6 && key.StartsWith("ctrl-", StringComparison.Ordinal))
        {
            var letter = char.ToLowerInvariant(key[5]);
            if (letter is >= 'a' and <= 'z')
            {
                return (byte)(letter - 'a' + 1);
            }

            var position = "@abcdefghijklmnopqrstuvwxyz[\\]^_".IndexOf(letter);
            if (position >= 0)
            {
                return (byte)position;
            }
        }

        throw WherryException.Invalid($"Unknown character: '{key}' in detach keys: use single characters or ctrl- and a letter, e.g. ctrl-p,ctrl-q");
    }
}
