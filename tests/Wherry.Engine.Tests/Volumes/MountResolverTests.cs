using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Json;
using Wherry.Engine.Volumes;
using Wherry.Errors;

namespace Wherry.Engine.Tests.Volumes;

public sealed class MountResolverTests
{
    private static IReadOnlyList<ResolvedMount> Resolve(HostConfig host, params string[] imageVolumes) => MountResolver.Resolve(
        new ContainerConfig { Volumes = imageVolumes.ToDictionary(path => path, _ => new EmptyObject()) },
        host,
        name => throw WherryException.NotFound($"No such container: {name}"));

    private static ResolvedMount Bind(string text) => Assert.Single(Resolve(new HostConfig { Binds = [text] }));

    private static string Refused(HostConfig host) => Assert.Throws<WherryException>(() => Resolve(host)).Message;

    [Fact]
    public void An_absolute_source_is_a_bind_whose_directory_is_made()
    {
        var mount = Bind("/no/such/dir:/data:ro");
        Assert.Equal((MountType.Bind, "/no/such/dir", "/data"), (mount.Type, mount.Source, mount.Destination));
        Assert.True(mount.ReadOnly && mount.CreateSource);
        Assert.Equal("rprivate", mount.Propagation);
    }

    [Fact]
    public void A_plain_source_is_a_named_volume_filled_from_the_image_unless_told_not_to()
    {
        var mount = Bind("pgdata:/var/lib/postgresql/../postgresql/data/");
        Assert.Equal((MountType.Volume, "pgdata", "/var/lib/postgresql/data"), (mount.Type, mount.Name, mount.Destination));
        Assert.True(mount.CopyUp);
        Assert.False(mount.IsAnonymous);
        Assert.False(Bind("pgdata:/data:nocopy").CopyUp);
    }

    [Fact]
    public void A_destination_alone_is_an_anonymous_volume() => Assert.True(Bind("/data") is { Type: MountType.Volume, IsAnonymous: true, Name: null });

    [Theory]
    [InlineData("data:rw", "invalid volume specification: 'data:rw'")]
    [InlineData("", "invalid volume specification: ''")]
    [InlineData(":/data", "invalid volume specification: ':/data'")]
    [InlineData("/a:/b:rw:more", "invalid volume specification: '/a:/b:rw:more'")]
    [InlineData("/a:/b:weird", "invalid mode: weird")]
    [InlineData("/a:/b:ro,rw", "invalid mode: ro,rw")]
    [InlineData("/a:b", "invalid mount path: 'b' mount path must be absolute")]
    [InlineData("/a:/", "destination can't be '/'")]
    [InlineData("/a:/b/..", "destination can't be '/'")]
    [InlineData("./a:/b", "create ./a: \"./a\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path")]
    [InlineData("a:/b", "volume name is too short")]
    public void Bad_specifications_are_refused_in_docker_s_words(string bind, string complaint) =>
        Assert.Contains(complaint, Refused(new HostConfig { Binds = [bind] }));

    [Fact]
    public void A_mount_of_a_missing_source_is_refused_where_a_bind_would_make_it()
    {
        var mount = new Mount { Type = "bind", Source = "/no/such/dir", Target = "/data" };
        Assert.Equal(
            "invalid mount config for type \"bind\": bind source path does not exist: /no/such/dir",
            Refused(new HostConfig { Mounts = [mount] }));
        Assert.True(Resolve(new HostConfig { Mounts = [mount with { BindOptions = new BindOptions { CreateMountpoint = true } }] })[0].CreateSource);
    }

    [Theory]
    [InlineData("bind", "", "field Source must not be empty")]
    [InlineData("tmpfs", "x", "field Source must not be specified")]
    [InlineData("floppy", "x", "mount type unknown")]
    public void Mounts_follow_the_rules_of_their_type(string type, string source, string complaint) =>
        Assert.Equal(
            $"invalid mount config for type \"{type}\": {complaint}",
            Refused(new HostConfig { Mounts = [new Mount { Type = type, Source = source, Target = "/data" }] }));

    [Fact]
    public void Two_mounts_on_one_path_are_refused_however_they_are_written()
    {
        Assert.Equal("Duplicate mount point: /data", Refused(new HostConfig { Binds = ["one:/data", "two:/data/"] }));
        Assert.Equal(
            "Duplicate mount point: /data",
            Refused(new HostConfig { Binds = ["one:/data"], Tmpfs = new() { ["/data"] = "" } }));
    }

    [Fact]
    public void The_image_s_volumes_become_anonymous_ones_where_nothing_else_is_mounted()
    {
        var mounts = Resolve(new HostConfig { Binds = ["/host:/data"] }, "/data", "/cache");
        Assert.Equal(["/cache", "/data"], mounts.Select(mount => mount.Destination));
        Assert.Equal([MountType.Volume, MountType.Bind], mounts.Select(mount => mount.Type));
    }

    [Fact]
    public void Parents_are_mounted_before_their_children() => Assert.Equal(
        ["/a", "/z", "/a/b", "/a/b/c"],
        Resolve(new HostConfig { Binds = ["x1:/a/b/c", "x2:/z", "x3:/a/b", "x4:/a"] }).Select(mount => mount.Destination));

    [Fact]
    public void Tmpfs_options_are_safe_by_default_and_the_last_word_wins()
    {
        var mount = Assert.Single(Resolve(new HostConfig { Tmpfs = new() { ["/run"] = "exec,size=64m,size=65536k" } }));
        Assert.Equal(["nosuid", "nodev", "rprivate", "exec", "size=65536k"], mount.TmpfsOptions!);
        Assert.Contains("invalid tmpfs option", Refused(new HostConfig { Tmpfs = new() { ["/run"] = "colour=red" } }));
    }

    [Fact]
    public void A_tmpfs_mount_s_size_and_mode_reach_the_kernel()
    {
        var mount = new Mount { Type = "tmpfs", Target = "/run", TmpfsOptions = new TmpfsOptions { SizeBytes = 4096, Mode = 448 } };
        Assert.Equal(
            ["noexec", "nosuid", "nodev", "rprivate", "mode=700", "size=4096"],
            Assert.Single(Resolve(new HostConfig { Mounts = [mount] })).TmpfsOptions!);
    }

    [Fact]
    public void Volumes_from_another_container_come_along_but_do_not_go_with_this_one()
    {
        var theirs = new ResolvedMount { Type = MountType.Volume, Name = "anon", Source = "/v/anon/_data", Destination = "/data", IsAnonymous = true };
        var mount = Assert.Single(MountResolver.Resolve(new ContainerConfig(), new HostConfig { VolumesFrom = ["other:ro"] }, name => name == "other" ? [theirs] : []));
        Assert.True(mount is { Name: "anon", ReadOnly: true, IsAnonymous: false });
    }

    [Fact]
    public void Sources_are_made_for_binds_and_demanded_for_mounts_at_every_start()
    {
        using var directory = new TemporaryDirectory();
        var missing = directory.Combine("made", "deep");
        BindSources.Ensure([new ResolvedMount { Type = MountType.Bind, Source = missing, Destination = "/x", CreateSource = true }]);
        Assert.True(Directory.Exists(missing));
        Assert.Throws<WherryException>(() => BindSources.Ensure([new ResolvedMount { Type = MountType.Bind, Source = missing + "er", Destination = "/x" }]));
    }
}
