using System.Text;
using Wherry.Linux.FileTrees;

namespace Wherry.Storage.Archives;

/// <summary>From header blocks to a member.</summary>
public sealed partial class TarReader
{
    private readonly PaxRecords _global = new();

    private TarEntry? ReadEntry()
    {
        PaxRecords? pax = null;
        byte[]? longName = null, longLink = null;
        var extended = 0L;
        while (true)
        {
            var at = _position;
            var block = ReadBlock();
            if (block.IsEmpty)
                return AtSourceEnd(pax is not null || longName is not null || longLink is not null);
            if (!block.ContainsAnyExcept((byte)0))
                return AtEndMark();
            if (!TarHeader.HasValidChecksum(block))
                throw new TarFormatException(at == 0 ? "not a tar archive" : $"archive is damaged: no valid header at byte {at}");

            var type = block[TarHeader.Type];
            if (type is (byte)'x' or (byte)'X' or (byte)'g' or (byte)'L' or (byte)'K')
            {
                var size = Required(TarHeader.TryParseNumber(block[TarHeader.Size]), at, "size");
                if ((extended += size + TarHeader.BlockSize) > MaxExtendedHeader)
                    throw new TarFormatException($"the headers before the member at byte {at} are larger than {MaxExtendedHeader} bytes");
                var data = ReadExtension((int)size);
                var where = $"member at byte {at}";
                if (type is (byte)'L')
                    longName = TarHeader.Text(data).ToArray();
                else if (type is (byte)'K')
                    longLink = TarHeader.Text(data).ToArray();
                else if (type is (byte)'g')
                    _global.Add(data, where);
                else
                    (pax ??= new PaxRecords()).Add(data, where);
                continue;
            }
            if (type is (byte)'V' or (byte)'N') // a volume's label; pre-1988 GNU names, which nothing writes
            {
                Skip(Padded(Required(TarHeader.TryParseNumber(block[TarHeader.Size]), at, "size")));
                continue;
            }
            return Describe(block.ToArray(), at, pax, longName, longLink);
        }
    }

    private TarEntry? AtSourceEnd(bool inHeaders)
    {
        if (_position == 0)
            throw new TarFormatException("archive is empty");
        if (inHeaders || _end == TarEnd.Required)
            throw new TarFormatException($"archive is truncated: it ends after {_position} bytes, before its end mark");
        return null;
    }

    private TarEntry? AtEndMark()
    {
        // One block of zeros and the end of the file is how some writers end; GNU tar accepts it, with a warning.
        var at = _position;
        var second = ReadBlock();
        if (!second.IsEmpty && second.ContainsAnyExcept((byte)0))
            throw new TarFormatException($"archive is damaged: a lone block of zeros before byte {at}");
        return null;
    }

    private byte[] ReadExtension(int size)
    {
        _remaining = size;
        _segments = null;
        _dataOffset = 0;
        var data = ReadAll(MaxExtendedHeader, "extended header");
        Skip(Padding(size));
        return data;
    }

    private TarEntry Describe(byte[] block, long at, PaxRecords? pax, byte[]? longName, byte[]? longLink)
    {
        var type = block[TarHeader.Type];
        var name = pax?.SparseName ?? pax?.Path ?? longName ?? _global.Path ?? HeaderName(block);
        var link = pax?.LinkPath ?? longLink ?? _global.LinkPath ?? TarHeader.Text(block.AsSpan(TarHeader.LinkName)).ToArray();
        if (name.Length == 0)
            throw new TarFormatException($"member at byte {at} has no name");
        if (name.Length > MaxName || link.Length > MaxName)
            throw new TarFormatException($"member at byte {at}: its name or link target is longer than {MaxName} bytes");
        var kind = type switch
        {
            0 or (byte)'0' or (byte)'7' => name[^1] == '/' ? TarKind.Directory : TarKind.File,
            (byte)'1' => TarKind.HardLink,
            (byte)'2' => TarKind.Symlink,
            (byte)'3' => TarKind.CharacterDevice,
            (byte)'4' => TarKind.BlockDevice,
            (byte)'5' or (byte)'D' => TarKind.Directory,
            (byte)'6' => TarKind.Fifo,
            (byte)'S' => TarKind.File,
            _ => throw new TarFormatException($"{Encoding.UTF8.GetString(name)}: members of type '{(char)type}' are not supported"),
        };
        // Links, nodes and directories carry no data whatever their size field says; a GNU dump directory does.
        var stored = kind == TarKind.File || type == (byte)'D'
            ? pax?.Size ?? _global.Size ?? Required(TarHeader.TryParseNumber(block.AsSpan(TarHeader.Size)), at, "size")
            : 0;
        if (stored < 0)
            throw new TarFormatException($"member at byte {at}: its size is negative");
        var size = stored;
        _remaining = stored;
        _padding = Padding(stored);
        _dataOffset = 0;
        _segments = kind == TarKind.File ? ReadSparseMap(block, pax, at, ref size) : null;
        _segment = 0;
        _segmentDone = 0;
        return new TarEntry
        {
            Kind = kind,
            Name = name,
            LinkName = link,
            Mode = (uint)(Required(TarHeader.TryParseNumber(block.AsSpan(TarHeader.Mode)), at, "mode") & 0xFFF),
            Uid = Id(pax?.Uid ?? _global.Uid ?? TarHeader.TryParseNumber(block.AsSpan(TarHeader.Uid)), at, "uid"),
            Gid = Id(pax?.Gid ?? _global.Gid ?? TarHeader.TryParseNumber(block.AsSpan(TarHeader.Gid)), at, "gid"),
            Size = kind == TarKind.File ? size : 0,
            Modified = pax?.Modified ?? _global.Modified
                ?? new FileTime(TarHeader.TryParseNumber(block.AsSpan(TarHeader.Modified)) ?? throw Damaged(at, "mtime"), 0),
            DeviceMajor = Device(kind, pax?.DeviceMajor, block, TarHeader.DeviceMajor, at),
            DeviceMinor = Device(kind, pax?.DeviceMinor, block, TarHeader.DeviceMinor, at),
            Sparse = _segments,
            Attributes = pax is { Attributes.Count: > 0 } ? [.. pax.Attributes] : [],
        };
    }

    private static byte[] HeaderName(byte[] block)
    {
        var name = TarHeader.Text(block.AsSpan(TarHeader.Name));
        var prefix = TarHeader.IsUstar(block) ? TarHeader.Text(block.AsSpan(TarHeader.Prefix)) : [];
        return prefix.IsEmpty ? name.ToArray() : [.. prefix, (byte)'/', .. name];
    }

    private static uint Device(TarKind kind, long? pax, byte[] block, Range field, long at)
    {
        if (kind is not (TarKind.CharacterDevice or TarKind.BlockDevice))
            return 0;
        var number = Required(pax ?? TarHeader.TryParseNumber(block.AsSpan(field)), at, "device number");
        return number <= uint.MaxValue ? (uint)number : throw Damaged(at, "device number");
    }

    private static uint Id(long? value, long at, string field) =>
        value is >= 0 and < uint.MaxValue ? (uint)value : throw Damaged(at, field);

    private static long Required(long? value, long at, string field) => value is >= 0 ? value.Value : throw Damaged(at, field);

    private static TarFormatException Damaged(long at, string field) => new($"member at byte {at}: its {field} is not a number in range");

    private static int Padding(long size) => (int)(-size & (TarHeader.BlockSize - 1));

    private static long Padded(long size) => checked(size + Padding(size));
}
