using System.Runtime.InteropServices;
using System.Text;

namespace Wherry.Linux.Kernel;

/// <summary>A null-terminated UTF-8 string in native memory, for the time of a call.</summary>
public unsafe ref struct NativeText : IDisposable
{
    private byte* _text;

    /// <exception cref="Errors.WherryException">The text holds a null character, which no path or name may.</exception>
    public NativeText(string? text) => _text = text is null ? null : NativeStrings.Allocate(text);

    /// <summary>The address; zero for a null string. Valid until disposed.</summary>
    public readonly nint Address => (nint)_text;

    public void Dispose()
    {
        NativeMemory.Free(_text);
        _text = null;
    }
}

/// <summary>A null-terminated array of null-terminated strings, as execve(2) takes it. Owned by whoever made it.</summary>
public sealed unsafe class NativeStrings : IDisposable
{
    private byte** _strings;
    private readonly int _count;

    public NativeStrings(IReadOnlyList<string> strings)
    {
        _count = strings.Count;
        _strings = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < _count; i++)
        {
            _strings[i] = Allocate(strings[i]);
        }
    }

    /// <summary>The array's address, valid until disposed.</summary>
    public byte** Address => _strings;

    public int Count => _count;

    public void Dispose()
    {
        if (_strings is null)
        {
            return;
        }

        for (var i = 0; i < _count; i++)
        {
            NativeMemory.Free(_strings[i]);
        }

        NativeMemory.Free(_strings);
        _strings = null;
    }

    internal static byte* Allocate(string text)
    {
        if (text.Contains('\0'))
        {
            throw Errors.WherryException.Invalid($"{text.Replace("\0", "\\0")}: a null character is not allowed here");
        }

        var size = Encoding.UTF8.GetMaxByteCount(text.Length) + 1;

        // SAFETY: the buffer holds the longest possible encoding and the terminator.
        var memory = (byte*)NativeMemory.Alloc((nuint)size);
        var written = Encoding.UTF8.GetBytes(text, new Span<byte>(memory, size - 1));
        memory[written] = 0;
        return memory;
    }
}
