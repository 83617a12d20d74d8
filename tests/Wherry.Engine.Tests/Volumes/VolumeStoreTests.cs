using Wherry.Engine.Filters;
using Wherry.Engine.Volumes;
using Wherry.Errors;

namespace Wherry.Engine.Tests.Volumes;

public sealed class VolumeStoreTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void A_volume_survives_the_engine_with_its_labels_and_data()
    {
        var store = VolumeStore.Open(_root.Path);
        store.Create("data", new Dictionary<string, string> { ["a"] = "b" });
        File.WriteAllText(Path.Combine(store.DirectoryOf("data"), "file"), "kept");
        var again = VolumeStore.Open(_root.Path).Inspect("data");
        Assert.Equal("b", again.Labels!["a"]);
        Assert.Equal("local", again.Driver);
        Assert.Equal("kept", File.ReadAllText(Path.Combine(again.Mountpoint, "file")));
    }

    [Fact]
    public void Creating_a_volume_that_exists_returns_it_untouched()
    {
        var store = VolumeStore.Open(_root.Path);
        store.Create("data", new Dictionary<string, string> { ["first"] = "yes" });
        Assert.True(store.Create("data", new Dictionary<string, string> { ["second"] = "no" }).Labels!.ContainsKey("first"));
        Assert.Single(store.List(FilterArguments.None, _ => false));
    }

    [Fact]
    public void A_volume_without_a_name_gets_one_and_a_mode_everyone_may_enter()
    {
        var store = VolumeStore.Open(_root.Path);
        var volume = store.Create(null, null);
        Assert.Equal(64, volume.Name.Length);
        Assert.True(File.GetUnixFileMode(volume.Mountpoint).HasFlag(UnixFileMode.OtherExecute | UnixFileMode.OtherRead));
    }

    [Fact]
    public void What_a_crash_left_half_made_or_half_removed_is_gone_after_opening()
    {
        var store = VolumeStore.Open(_root.Path);
        store.Create("good", null);
        Directory.CreateDirectory(_root.Combine("volumes", ".creating-x", "_data"));
        Directory.CreateDirectory(_root.Combine("volumes", ".removing-y", "_data", "deep"));
        VolumeStore.Open(_root.Path);
        Assert.Equal(["good"], Directory.EnumerateFileSystemEntries(_root.Combine("volumes")).Select(Path.GetFileName));
    }

    [Fact]
    public void A_volume_whose_record_is_damaged_is_reported_and_its_data_left_alone()
    {
        VolumeStore.Open(_root.Path).Create("data", null);
        File.WriteAllText(_root.Combine("volumes", "data", "volume.json"), "{");
        var log = new List<string>();
        var store = VolumeStore.Open(_root.Path, log.Add);
        Assert.Null(store.Find("data"));
        Assert.Contains("data", Assert.Single(log));
        Assert.True(Directory.Exists(store.DirectoryOf("data")));
    }

    [Fact]
    public void A_volume_in_use_is_not_removed_and_the_error_names_the_user()
    {
        var store = VolumeStore.Open(_root.Path);
        store.Create("data", null);
        var failure = Assert.Throws<WherryException>(() => store.Remove("data", force: true, ["c0ffee"]));
        Assert.Equal(ErrorKind.Conflict, failure.Kind);
        Assert.Equal("remove data: volume is in use - [c0ffee]", failure.Message);
        Assert.NotNull(store.Find("data"));
    }

    [Fact]
    public void A_volume_held_for_a_container_in_the_making_is_not_removed()
    {
        var store = VolumeStore.Open(_root.Path);
        store.Create("data", null);
        using (store.Hold("data"))
        {
            Assert.Equal(ErrorKind.Conflict, Assert.Throws<WherryException>(() => store.Remove("data", force: false, [])).Kind);
        }

        store.Remove("data", force: false, []);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root.Combine("volumes")));
    }

    [Fact]
    public void A_volume_is_removed_whatever_a_program_left_in_it()
    {
        var store = VolumeStore.Open(_root.Path);
        var data = store.Create("data", null).Mountpoint;
        File.CreateSymbolicLink(Path.Combine(data, "link"), _root.Path);
        using (var shell = System.Diagnostics.Process.Start("/bin/sh", ["-c", "cd \"$1\" && touch \"$(printf 'bad\\377name')\" && d=d && mkdir \"$d\" && chmod 0 \"$d\"", "sh", data]))
        {
            shell.WaitForExit();
            Assert.Equal(0, shell.ExitCode);
        }

        store.Remove("data", force: false, []);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root.Combine("volumes")));
        Assert.True(Directory.Exists(_root.Path));
    }

    [Fact]
    public void Removing_what_is_not_there_is_an_error_unless_forced()
    {
        var store = VolumeStore.Open(_root.Path);
        store.Remove("nothing", force: true, []);
        var failure = Assert.Throws<WherryException>(() => store.Remove("nothing", force: false, []));
        Assert.Equal((ErrorKind.NotFound, "get nothing: no such volume"), (failure.Kind, failure.Message));
    }

    [Theory]
    [InlineData("./data")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData(".creating-x")]
    public void Names_that_could_leave_the_store_are_refused(string name)
    {
        var failure = Assert.Throws<WherryException>(() => VolumeStore.Open(_root.Path).Create(name, null));
        Assert.Contains("includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path", failure.Message);
    }

    [Fact]
    public void Racing_creators_of_one_name_make_one_volume()
    {
        var store = VolumeStore.Open(_root.Path);
        Parallel.For(0, 32, i => store.Create($"v{i % 4}x", null));
        Assert.Equal(4, store.List(FilterArguments.None, _ => false).Count);
        Assert.Equal(4, Directory.GetFileSystemEntries(_root.Combine("volumes")).Length);
    }

    [Fact]
    public void Filters_choose_by_name_label_and_use()
    {
        var store = VolumeStore.Open(_root.Path);
        store.Create("used-one", new Dictionary<string, string> { ["tier"] = "db" });
        store.Create("idle-one", null);
        string[] Names(string json) => [.. store.List(FilterArguments.Parse(json), name => name == "used-one").Select(volume => volume.Name)];
        Assert.Equal(["idle-one"], Names("{\"dangling\":[\"true\"]}"));
        Assert.Equal(["used-one"], Names("{\"label\":[\"tier=db\"]}"));
        Assert.Equal(["idle-one", "used-one"], Names("{\"name\":[\"one\"]}"));
        Assert.Throws<WherryException>(() => Names("{\"colour\":[\"red\"]}"));
    }
}
