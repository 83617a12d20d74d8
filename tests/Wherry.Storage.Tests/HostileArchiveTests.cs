using System.Text;
using Wherry.Errors;
using Wherry.Storage.Archives;

namespace Wherry.Storage.Tests;

public sealed class HostileArchiveTests : IDisposable
{
    private readonly TestTree _tree = new();
    private readonly string _canary;

    public HostileArchiveTests()
    {
        _canary = Path.Combine(_tree.Make("outside"), "canary");
        File.WriteAllText(_canary, "alive");
    }

    public void Dispose()
    {
        Assert.Equal("alive", File.ReadAllText(_canary));
        Assert.Equal([_canary], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(_canary)!));
        _tree.Dispose();
    }

    [Theory]
    [InlineData("../escape")]
    [InlineData("a/../../escape")]
    [InlineData("/../escape")]
    public void A_name_that_climbs_out_is_refused(string name)
    {
        var failure = Assert.Throws<TarFormatException>(() => Unpack(FileOf(name, "x")));
        Assert.Contains("leaves the archive's root", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_absolute_name_counts_from_the_root()
    {
        var root = Unpack(FileOf("/etc/motd", "x"));
        Assert.True(File.Exists(Path.Combine(root, "etc/motd")));
    }

    [Fact]
    public void A_link_out_of_the_root_leads_back_into_it()
    {
        var outside = Path.GetDirectoryName(_canary)!;
        var root = Unpack(Link("up", "../../../../../../../../.."), Link("abs", outside), FileOf("up/one", "1"), DirectoryOf(outside.TrimStart('/')), FileOf("abs/two", "2"));
        Assert.Equal("1", File.ReadAllText(Path.Combine(root, "one")));
        Assert.Equal("2", File.ReadAllText(Path.Combine(root, outside.TrimStart('/'), "two")));
    }

    [Fact]
    public void A_file_over_a_link_replaces_the_link_not_its_target()
    {
        var root = Unpack(Link("x", _canary), FileOf("x", "dead"));
        Assert.Null(new FileInfo(Path.Combine(root, "x")).LinkTarget);
        Assert.Equal("dead", File.ReadAllText(Path.Combine(root, "x")));
    }

    [Fact]
    public void A_directory_over_a_link_replaces_it_and_its_target_keeps_its_mode()
    {
        var outside = Path.GetDirectoryName(_canary)!;
        var mode = File.GetUnixFileMode(outside);
        var root = Unpack(Link("d", outside), (new TarEntry { Kind = TarKind.Directory, Name = "d"u8.ToArray(), Mode = 0 }, ""), FileOf("d/canary", "inside"));
        Assert.Equal(mode, File.GetUnixFileMode(outside));
        Assert.Equal("inside", File.ReadAllText(Path.Combine(root, "d/canary")));
    }

    [Fact]
    public void A_directory_swapped_for_a_link_between_its_files_leads_nowhere()
    {
        var outside = Path.GetDirectoryName(_canary)!;
        Assert.ThrowsAny<WherryException>(() => Unpack(DirectoryOf("d"), FileOf("d/one", "1"), Link("d", outside), FileOf("d/canary", "dead")));
    }

    [Theory]
    [InlineData("../outside/canary")]
    [InlineData("missing")]
    [InlineData("../../../../../../../etc/passwd")]
    public void A_hard_link_finds_only_what_the_archive_holds(string target)
    {
        var failure = Assert.Throws<TarFormatException>(() => Unpack((new TarEntry { Kind = TarKind.HardLink, Name = "x"u8.ToArray(), LinkName = Encoding.UTF8.GetBytes(target) }, "")));
        Assert.Matches("which the archive does not have|leaves the archive's root", failure.Message);
    }

    [Fact]
    public void A_hard_link_through_a_link_stays_inside()
    {
        var failure = Assert.Throws<TarFormatException>(() => Unpack(
            Link("out", Path.GetDirectoryName(_canary)!),
            (new TarEntry { Kind = TarKind.HardLink, Name = "x"u8.ToArray(), LinkName = "out/canary"u8.ToArray() }, "")));
        Assert.Contains("does not have", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("d/.wh...")]
    [InlineData("d/.wh..")]
    [InlineData("d/.wh.")]
    public void A_whiteout_names_one_file_of_its_directory(string name) =>
        Assert.Throws<TarFormatException>(() => Unpack(DirectoryOf("d"), FileOf(name, "")));

    [Fact]
    public void Device_nodes_are_made_as_nodes()
    {
        var root = Unpack((new TarEntry { Kind = TarKind.BlockDevice, Name = "dev/sda"u8.ToArray(), Mode = 0x180, DeviceMajor = 8, DeviceMinor = 300 }, ""));
        Assert.Equal("block special file 8 12c 600", TestTree.Run("stat", "-c", "%F %t %T %a", Path.Combine(root, "dev/sda")).Trim());
    }

    [Fact]
    public void A_sparse_header_of_10_GB_costs_no_disk()
    {
        var entry = new TarEntry { Kind = TarKind.File, Name = "huge"u8.ToArray(), Size = 10_000_000_000, Sparse = [new SparseSegment(9_000_000_000, 4)] };
        var path = Path.Combine(Unpack((entry, "data")), "huge");
        Assert.Equal(10_000_000_000, new FileInfo(path).Length);
        Assert.True(long.Parse(TestTree.Run("stat", "-c", "%b", path)) <= 16);
    }

    [Fact]
    public void A_file_that_claims_10_GB_and_has_none_is_truncated()
    {
        using var stream = new MemoryStream();
        new TarWriter(stream).WriteHeader(new TarEntry { Kind = TarKind.File, Name = "huge"u8.ToArray(), Size = 10_000_000_000 });
        using var store = new StagedStore(_tree.Make("data"));
        var failure = Assert.Throws<TarFormatException>(() => store.Unpack(stream.ToArray()));
        Assert.Contains("truncated", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_deeper_than_the_kernel_takes_are_refused()
    {
        var failure = Assert.Throws<TarFormatException>(() => Unpack(FileOf(string.Join('/', Enumerable.Repeat("d", 2100)), "x")));
        Assert.Contains("longer than 4095", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_deepest_tree_allowed_comes_and_goes()
    {
        var deep = string.Join('/', Enumerable.Repeat("d", 2000));
        Assert.NotEmpty(Unpack(FileOf(deep, "x")));
    }

    [Theory]
    [InlineData("gzip -c", "gzip data is damaged or truncated|truncated")]
    [InlineData("zstd -qc", "zstd data is truncated|truncated")]
    public void A_cut_compressed_archive_is_refused(string compressor, string expected)
    {
        var plain = Path.Combine(_tree.Root, "plain.tar");
        File.WriteAllBytes(plain, Pack(FileOf("x", new string('x', 100_000) + Guid.NewGuid())));
        TestTree.Run("sh", "-c", $"{compressor} '{plain}' > '{plain}.c'");
        var whole = File.ReadAllBytes(plain + ".c");
        using var store = new StagedStore(_tree.Make("data"));
        Assert.NotEmpty(store.Unpack(whole));
        foreach (var left in new[] { whole.Length - 12, whole.Length / 2 })
        {
            var failure = Assert.Throws<TarFormatException>(() => store.Unpack(whole[..left]));
            Assert.Matches(expected, failure.Message);
        }
    }

    private string Unpack(params (TarEntry Entry, string Data)[] members)
    {
        var store = new StagedStore(_tree.Make("data"));
        return store.Unpack(Pack(members));
    }

    private static byte[] Pack(params (TarEntry Entry, string Data)[] members)
    {
        using var stream = new MemoryStream();
        var writer = new TarWriter(stream);
        foreach (var (entry, data) in members)
        {
            writer.WriteHeader(entry);
            writer.WriteData(Encoding.UTF8.GetBytes(data));
        }
        writer.Finish();
        return stream.ToArray();
    }

    private static (TarEntry Entry, string Data) FileOf(string name, string data) =>
        (new TarEntry { Kind = TarKind.File, Name = Encoding.UTF8.GetBytes(name), Mode = 0x1A4, Size = data.Length }, data);

    private static (TarEntry Entry, string Data) Link(string name, string target) =>
        (new TarEntry { Kind = TarKind.Symlink, Name = Encoding.UTF8.GetBytes(name), LinkName = Encoding.UTF8.GetBytes(target) }, "");

    private static (TarEntry Entry, string Data) DirectoryOf(string name) =>
        (new TarEntry { Kind = TarKind.Directory, Name = Encoding.UTF8.GetBytes(name), Mode = 0x1ED }, "");
}
