using System.Runtime.InteropServices;
using System.Text;

namespace Wherry.Cli.Engine;

/// <summary>A null-terminated array of C strings in native memory.</summary>
internal sealed unsafe class StringVector : IDisposable
{
    private readonly int _count;

    internal StringVector(IEnumerable<string> texts)
    {
        var list = texts.ToArray();
        _count = list.Length;
        Pointer = (byte**)NativeMemory.AllocZeroed((nuint)(list.Length + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < list.Length; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(list[i]);
            var copy = (byte*)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
            bytes.CopyTo(new Span<byte>(copy, bytes.Length));
            Pointer[i] = copy;
        }
    }

    internal byte** Pointer { get; }

    public void Dispose()
    {
        for (var i = 0; i < _count; i++)
        {
            NativeMemory.Free(Pointer[i]);
        }

        NativeMemory.Free(Pointer);
    }
}
