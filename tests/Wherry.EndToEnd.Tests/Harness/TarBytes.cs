using System.Formats.Tar;
using System.Text;

namespace Wherry.EndToEnd.Tests.Harness;

/// <summary>Makes archives, the hostile kind included: headers are written as asked, sensible or not.</summary>
public sealed class TarBytes
{
    private readonly MemoryStream _bytes = new();

    public TarBytes File(string name, string content) => File(name, Encoding.UTF8.GetBytes(content));

    public TarBytes File(string name, byte[] content)
    {
        Header(name, '0', content.Length);
        _bytes.Write(content);
        Pad();
        return this;
    }

    public TarBytes Directory(string name)
    {
        Header(name, '5', 0);
        return this;
    }

    public TarBytes Link(string name, string target, bool hard = false)
    {
        Header(name, hard ? '1' : '2', 0, target);
        return this;
    }

    public TarBytes CharacterDevice(string name, int major, int minor)
    {
        Header(name, '3', 0, "", major, minor);
        return this;
    }

    /// <summary>Claims a length and provides none of it.</summary>
    public TarBytes Truncated(string name, long claimed)
    {
        Header(name, '0', claimed);
        _bytes.Write(new byte[100]);
        return this;
    }

    /// <summary>An old GNU sparse file: a few bytes in the archive, and a claim of many on disk.</summary>
    public TarBytes Sparse(string name, long realSize)
    {
        var header = Block(name, 'S', 512, "", 0, 0);
        Encoding.ASCII.GetBytes("ustar  \0").CopyTo(header, 257);
        Octal(header, 386, 12, 0); // one piece: offset 0 …
        Octal(header, 398, 12, 512); // … of 512 bytes
        Octal(header, 483, 12, realSize);
        Checksum(header);
        _bytes.Write(header);
        _bytes.Write(new byte[512]);
        return this;
    }

    public byte[] Finish()
    {
        _bytes.Write(new byte[1024]);
        return _bytes.ToArray();
    }

    /// <summary>Without the end marker.</summary>
    public byte[] Cut() => _bytes.ToArray();

    public async Task<string> SaveAsync(string path)
    {
        await System.IO.File.WriteAllBytesAsync(path, Finish(), TestContext.Current.CancellationToken);
        return path;
    }

    /// <summary>The names in an archive.</summary>
    public static List<string> Names(string path)
    {
        using var stream = System.IO.File.OpenRead(path);
        using var reader = new TarReader(stream);
        var names = new List<string>();
        while (reader.GetNextEntry() is { } entry)
        {
            names.Add(entry.Name.TrimEnd('/'));
        }

        return names;
    }

    private static byte[] Block(string name, char type, long size, string target, int major, int minor)
    {
        var header = new byte[512];
        Encoding.UTF8.GetBytes(name).CopyTo(header, 0);
        Octal(header, 100, 8, type == '5' ? 493 : 420);
        Octal(header, 108, 8, 0);
        Octal(header, 116, 8, 0);
        Octal(header, 124, 12, size);
        Octal(header, 136, 12, 1_600_000_000);
        header[156] = (byte)type;
        Encoding.UTF8.GetBytes(target).CopyTo(header, 157);
        Encoding.ASCII.GetBytes("ustar\000").CopyTo(header, 257);
        Octal(header, 329, 8, major);
        Octal(header, 337, 8, minor);
        Checksum(header);
        return header;
    }

    private static void Checksum(byte[] header)
    {
        Array.Fill(header, (byte)' ', 148, 8);
        Octal(header, 148, 7, header.Sum(value => value));
    }

    private static void Octal(byte[] header, int at, int width, long value)
    {
        // The terminating zero is optional where the number needs its place.
        var digits = Convert.ToString(value, 8).PadLeft(width - 1, '0');
        Encoding.ASCII.GetBytes(digits.Length < width ? digits + "\0" : digits).CopyTo(header, at);
    }

    private void Header(string name, char type, long size, string target = "", int major = 0, int minor = 0) =>
        _bytes.Write(Block(name, type, size, target, major, minor));

    private void Pad()
    {
        while (_bytes.Length % 512 != 0)
        {
            _bytes.WriteByte(0);
        }
    }
}
