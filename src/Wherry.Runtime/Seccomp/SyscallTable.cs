using System.Buffers.Text;

namespace Wherry.Runtime.Seccomp;

/// <summary>
/// System calls by name, on each architecture a filter can be made for. Looked up in the text itself: a process that makes
/// one container compiles one filter, and making tables first took longer than compiling.
/// </summary>
internal static partial class SyscallTable
{
    /// <summary>What is known of a call.</summary>
    /// <param name="numbers">One for each architecture, as in the table.</param>
    public readonly ref struct Call(ReadOnlySpan<byte> numbers)
    {
        private readonly ReadOnlySpan<byte> _numbers = numbers;

        /// <summary>Its number without what all numbers of the architecture have in common; null where it has none, or is not known at all.</summary>
        public uint? NumberOn(FilterArchitecture architecture)
        {
            var rest = _numbers;
            for (var column = FilterArchitecture.X64.Column; column < architecture.Column; column++)
            {
                Field(ref rest);
            }

            return Utf8Parser.TryParse(Field(ref rest), out uint number, out _) ? number : null;
        }
    }

    /// <summary>Finds a call by halving: the lines are in their names' order.</summary>
    public static Call Find(ReadOnlySpan<char> name)
    {
        var lines = Data;
        while (!lines.IsEmpty)
        {
            // The line that the middle byte is in.
            var start = lines[..(lines.Length / 2)].LastIndexOf((byte)'\n') + 1;
            var length = lines[start..].IndexOf((byte)'\n');
            var rest = length < 0 ? lines[start..] : lines.Slice(start, length);
            var after = start + rest.Length;
            var order = Compare(name, Field(ref rest));
            if (order == 0)
            {
                return new Call(rest);
            }

            lines = order < 0 ? lines[..Math.Max(0, start - 1)] : lines[Math.Min(lines.Length, after + 1)..];
        }

        return default;
    }

    private static int Compare(ReadOnlySpan<char> name, ReadOnlySpan<byte> other)
    {
        for (var i = 0; i < name.Length && i < other.Length; i++)
        {
            if (name[i] != other[i])
            {
                return name[i] - other[i];
            }
        }

        return name.Length - other.Length;
    }

    private static ReadOnlySpan<byte> Field(ref ReadOnlySpan<byte> line)
    {
        var end = line.IndexOf((byte)' ');
        var field = end < 0 ? line : line[..end];
        line = end < 0 ? default : line[(end + 1)..];
        return field;
    }
}
