using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Wherry.Linux.FileTrees;
using Wherry.Storage.Archives;
using Wherry.Storage.Pipelines;

namespace Wherry.Storage.Tests;

public sealed class TarRoundTripTests
{
    [Fact]
    public void Whatever_is_written_is_read_back_the_same()
    {
        var archives = Entry().ListOf(6).ToArbitrary();
        Prop.ForAll(archives, members =>
        {
            using var stream = new MemoryStream();
            var writer = new TarWriter(stream);
            foreach (var (entry, data) in members)
            {
                writer.WriteHeader(entry);
                writer.WriteData(data);
            }
            writer.Finish();
            stream.Position = 0;
            AssertReads(members, stream);
            // The same from buffers that are lent, and that end anywhere, in the middle of headers too.
            AssertReads(members, Lent(stream.ToArray()));
        }).QuickCheckThrowOnFailure();
    }

    private static void AssertReads(IEnumerable<(TarEntry Entry, byte[] Data)> members, Stream archive)
    {
        using (archive)
        using (var reader = new TarReader(archive, TarEnd.Required))
        {
            foreach (var (entry, data) in members)
            {
                var read = reader.Next()!;
                AssertSame(entry, read);
                Assert.Equal(data, reader.ReadAll(1 << 20, "data"));
            }
            Assert.Null(reader.Next());
            reader.Drain();
            Assert.Equal(0, reader.Position % 512);
        }
    }

    private static ChunkReadStream Lent(byte[] archive)
    {
        var queue = new ChunkQueue(CancellationToken.None);
        _ = ThreadBridge.OnThread(() =>
        {
            var random = new Random(archive.Length);
            for (var at = 0; at < archive.Length;)
            {
                var chunk = new Chunk { Length = Math.Min(random.Next(1, 2000), archive.Length - at) };
                archive.AsSpan(at, chunk.Length).CopyTo(chunk.Buffer);
                at += chunk.Length;
                if (!queue.Write(chunk))
                    return false;
            }
            queue.Complete();
            return true;
        });
        return new ChunkReadStream(queue);
    }

    [Fact]
    public void The_framework_reads_what_is_written()
    {
        using var stream = new MemoryStream();
        var writer = new TarWriter(stream);
        var longName = string.Join('/', Enumerable.Repeat("directory", 40)) + "/file";
        Write(writer, longName, "long");
        Write(writer, "short", "short");
        writer.Finish();
        stream.Position = 0;
        using var reader = new System.Formats.Tar.TarReader(stream);
        Assert.Equal(longName, reader.GetNextEntry()!.Name);
        var second = reader.GetNextEntry()!;
        Assert.Equal(("short", 5L), (second.Name, second.Length));
        Assert.Null(reader.GetNextEntry());
    }

    [Theory]
    [InlineData(System.Formats.Tar.TarEntryFormat.V7)]
    [InlineData(System.Formats.Tar.TarEntryFormat.Ustar)]
    [InlineData(System.Formats.Tar.TarEntryFormat.Pax)]
    [InlineData(System.Formats.Tar.TarEntryFormat.Gnu)]
    public void What_the_framework_writes_is_read(System.Formats.Tar.TarEntryFormat format)
    {
        using var stream = new MemoryStream();
        using (var writer = new System.Formats.Tar.TarWriter(stream, format, leaveOpen: true))
        {
            System.Formats.Tar.TarEntry entry = format switch
            {
                System.Formats.Tar.TarEntryFormat.V7 => new System.Formats.Tar.V7TarEntry(System.Formats.Tar.TarEntryType.V7RegularFile, "a/b"),
                System.Formats.Tar.TarEntryFormat.Ustar => new System.Formats.Tar.UstarTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "a/b"),
                System.Formats.Tar.TarEntryFormat.Pax => new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "a/b"),
                _ => new System.Formats.Tar.GnuTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "a/b"),
            };
            entry.DataStream = new MemoryStream("content"u8.ToArray());
            writer.WriteEntry(entry);
        }
        stream.Position = 0;
        using var reader = new TarReader(stream, TarEnd.Required);
        Assert.Equal("a/b", reader.Next()!.NameText);
        Assert.Equal("content"u8.ToArray(), reader.ReadAll(100, "data"));
        Assert.Null(reader.Next());
    }

    [Fact]
    public void Every_cut_of_an_archive_is_noticed()
    {
        using var stream = new MemoryStream();
        var writer = new TarWriter(stream);
        for (var i = 0; i < 4; i++)
            Write(writer, new string('n', 60 * (i + 1)), new string('d', 700));
        writer.Finish();
        var whole = stream.ToArray();
        for (var cut = 0; cut < whole.Length - 1024; cut += 64)
        {
            var failure = Assert.Throws<TarFormatException>(() => ReadThrough(whole.AsSpan(0, cut).ToArray()));
            Assert.Matches("truncated|empty", failure.Message);
        }
    }

    [Fact]
    public void Damage_anywhere_ends_in_a_format_error_or_in_other_members_but_never_otherwise()
    {
        using var stream = new MemoryStream();
        var writer = new TarWriter(stream);
        writer.WriteHeader(new TarEntry
        {
            Kind = TarKind.File,
            Name = new byte[200].Select(_ => (byte)'x').ToArray(),
            Size = 3 << 20,
            Sparse = [new SparseSegment(4096, 100), new SparseSegment(1 << 20, 600)],
            Attributes = [new("user.a", [1, 2, 3])],
            Uid = 3_000_000,
            Modified = new FileTime(-5, 7),
        });
        writer.WriteData(new byte[700]);
        Write(writer, "plain", "data");
        writer.Finish();
        var whole = stream.ToArray();
        var random = new Random(20240229);
        for (var round = 0; round < 20_000; round++)
        {
            var damaged = (byte[])whole.Clone();
            for (var i = random.Next(1, 4); i > 0; i--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            if (random.Next(2) == 0)
                RepairChecksums(damaged);
            try
            {
                ReadThrough(damaged);
            }
            catch (TarFormatException)
            {
            }
        }
    }

    private static void ReadThrough(byte[] archive)
    {
        using var reader = new TarReader(new MemoryStream(archive), TarEnd.Required);
        while (reader.Next() is not null)
        {
            while (reader.TryReadData(out _, out _))
            {
            }
        }
    }

    /// <summary>Damage behind a right checksum reaches the code behind the checksum's test.</summary>
    private static void RepairChecksums(byte[] archive)
    {
        for (var at = 0; at + 512 <= archive.Length; at += 512)
        {
            var block = archive.AsSpan(at, 512);
            if (!block[257..262].SequenceEqual("ustar"u8))
                continue;
            block[148..156].Fill((byte)' ');
            var sum = 0;
            foreach (var value in block)
                sum += value;
            Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block[148..156]);
        }
    }

    private static void Write(TarWriter writer, string name, string content)
    {
        writer.WriteHeader(new TarEntry { Kind = TarKind.File, Name = Encoding.UTF8.GetBytes(name), Mode = 0x1A4, Size = content.Length });
        writer.WriteData(Encoding.UTF8.GetBytes(content));
    }

    private static void AssertSame(TarEntry expected, TarEntry actual)
    {
        Assert.Equal(expected.Kind, actual.Kind);
        Assert.Equal(expected.Kind == TarKind.Directory ? [.. expected.Name, (byte)'/'] : expected.Name, actual.Name);
        Assert.Equal(expected.LinkName, actual.LinkName);
        Assert.Equal(
            (expected.Mode, expected.Uid, expected.Gid, expected.Size, expected.Modified, expected.DeviceMajor, expected.DeviceMinor),
            (actual.Mode, actual.Uid, actual.Gid, actual.Size, actual.Modified, actual.DeviceMajor, actual.DeviceMinor));
        Assert.Equal(expected.Attributes, actual.Attributes);
    }

    private static Gen<(TarEntry Entry, byte[] Data)> Entry() =>
        from kind in Gen.Elements(Enum.GetValues<TarKind>())
        from name in Name()
        from link in Name()
        from mode in Gen.Choose(0, 0xFFF)
        from uid in Gen.OneOf(Gen.Choose(0, 70_000), Gen.Choose(2_000_000, int.MaxValue))
        from gid in Gen.OneOf(Gen.Choose(0, 70_000), Gen.Choose(2_000_000, int.MaxValue))
        from seconds in Gen.OneOf(Gen.Choose(int.MinValue, int.MaxValue).Select(i => (long)i), Gen.Choose(0, 1000).Select(i => 8_589_934_000L + i))
        from nanoseconds in Gen.OneOf(Gen.Constant(0), Gen.Choose(0, 999_999_999))
        from data in Bytes(0, 3000)
        from attributes in Bytes(0, 200)
        from major in Gen.Choose(0, 4095)
        from minor in Gen.Choose(0, 1_048_575)
        let isDevice = kind is TarKind.CharacterDevice or TarKind.BlockDevice
        let content = kind == TarKind.File ? data : []
        select (new TarEntry
        {
            Kind = kind,
            Name = name,
            LinkName = kind is TarKind.HardLink or TarKind.Symlink ? link : [],
            Mode = (uint)mode,
            Uid = (uint)uid,
            Gid = (uint)gid,
            Size = content.Length,
            Modified = new FileTime(seconds, (uint)nanoseconds),
            DeviceMajor = isDevice ? (uint)major : 0,
            DeviceMinor = isDevice ? (uint)minor : 0,
            Attributes = attributes.Length == 0 ? [] : [new("user.test", attributes)],
        }, content);

    private static Gen<byte[]> Name() =>
        from bytes in Gen.OneOf(Bytes(1, 20), Bytes(90, 110), Bytes(140, 300))
        select bytes.Select(b => b == 0 ? (byte)'/' : b).SkipLast(1).Append((byte)'e').ToArray();

    private static Gen<byte[]> Bytes(int least, int most) =>
        Gen.Choose(least, most).SelectMany(length => Gen.Choose(0, 255).Select(i => (byte)i).ArrayOf(length));
}
