using System.Buffers.Text;
using System.Text;

namespace Wherry.Runtime.Seccomp;

/// <summary>System calls by name, on each architecture a filter can be made for.</summary>
internal static partial class SyscallTable
{
    /// <summary>The numbers of one architecture, by name. Made anew at each call: a filter is compiled once and then read from its cache.</summary>
    public static Dictionary<string, uint> Of(FilterArchitecture architecture)
    {
        var numbers = new Dictionary<string, uint>(500, StringComparer.Ordinal);
        foreach (var line in Data.Split((byte)'\n'))
        {
            var rest = Data[line];
            var name = Field(ref rest);
            for (var column = FilterArchitecture.X64.Column; column < architecture.Column; column++)
            {
                Field(ref rest);
            }

            if (Utf8Parser.TryParse(Field(ref rest), out uint number, out _))
            {
                numbers.Add(Encoding.ASCII.GetString(name), number | architecture.NumberBase);
            }
        }

        return numbers;
    }

    private static ReadOnlySpan<byte> Field(ref ReadOnlySpan<byte> line)
    {
        var end = line.IndexOf((byte)' ');
        var field = end < 0 ? line : line[..end];
        line = end < 0 ? default : line[(end + 1)..];
        return field;
    }
}
