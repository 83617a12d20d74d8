using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Conformance;

public abstract class MountTests(RuntimeMode mode) : ConformanceTests(mode)
{
    private const string Locked = "of a bind, how it counts times of access can't be changed, which is refused by name";

    [Collection(ContainerCollection.Name)]
    public sealed class AsRoot() : MountTests(RuntimeMode.Root);

    [Collection(ContainerCollection.Name)]
    public sealed class InUserNamespace() : MountTests(RuntimeMode.UserNamespaced);

    [Collection(ContainerCollection.Name)]
    public sealed class Rootless() : MountTests(RuntimeMode.Rootless);

    [Fact]
    [SpecProperty("mounts[].options (rro, rnosuid, rnodev, rnoexec …)", OtherwiseIn = RuntimeMode.Rootless, Otherwise = Locked)]
    public async Task Recursive_attributes_reach_the_mounts_below()
    {
        var source = NewDirectory();
        Directory.CreateDirectory(Path.Combine(source, "below"));

        var (asked, got) = IsOtherwise ? ("rrelatime", "relatime") : ("rnoatime", "noatime");

        // The tree is made in a container's own namespace, by an earlier mount of the same bundle.
        var output = await MountsOfAsync("/tree", [
            Bind("/tree", source, "rbind"),
            new Mount { Destination = "/tree/below", Type = "tmpfs", Source = "tmpfs" },
            new Mount { Destination = "/tree", Options = ["remount", "bind", "rro", "rnosuid", "rnodev", "rnoexec", asked] },
        ]);
        Assert.Equal($"/tree ro,nosuid,nodev,noexec,{got}\n/tree/below ro,nosuid,nodev,noexec,{got}\n", output);
    }

    [Theory]
    [InlineData("ro", "ro,relatime")]
    [InlineData("nosuid", "rw,nosuid,relatime")]
    [InlineData("nodev", "rw,nodev,relatime")]
    [InlineData("noexec", "rw,noexec,relatime")]
    [InlineData("noatime", "rw,noatime")]
    [InlineData("strictatime", "rw")]
    [InlineData("nodiratime", "rw,nodiratime,relatime")]
    [InlineData("nosymfollow", "rw,relatime,nosymfollow")]
    [InlineData("relatime", "rw,relatime")]
    [SpecProperty("mounts[].options", OtherwiseIn = RuntimeMode.Rootless, Otherwise = Locked)]
    public async Task Each_option_is_kept(string option, string expected)
    {
        if (IsOtherwise && option is ("noatime" or "nodiratime" or "strictatime"))
        {
            await RefusedAsync("mount on /b:", request => With(request, Bind("/b", NewDirectory(), "bind", option)));
        }
        else
        {
            Assert.Equal($"/b {expected}\n", await MountsOfAsync("/b", [Bind("/b", NewDirectory(), "bind", option)]));
        }

        Assert.Equal($"/t {expected}\n", await MountsOfAsync("/t", [new Mount { Destination = "/t", Type = "tmpfs", Source = "tmpfs", Options = [option] }]));
    }

    [Fact]
    [SpecProperty("mounts[].options (data)")]
    [SpecProperty("mounts[].type")]
    [SpecProperty("mounts[].source")]
    public async Task Options_of_the_file_system_reach_it()
    {
        var output = await OutputOfAsync("grep ' /t ' /proc/self/mounts; stat -c %a:%u /t", request => With(request, new Mount { Destination = "/t", Type = "tmpfs", Source = "named", Options = ["size=64k", "mode=700", "uid=5"] }));
        Assert.StartsWith($"named /t tmpfs rw,relatime,size=64k,mode=700,uid={HostUid(5)}", output);
        Assert.EndsWith("700:5\n", output);
    }

    [Fact]
    [SpecProperty("mounts[].options (tmpcopyup)")]
    public async Task A_tmpfs_begins_with_what_the_image_has_there()
    {
        var output = await OutputOfAsync("cat /data/seed; echo more >> /data/seed && grep -c ' /data tmpfs' /proc/self/mounts", request => With(request, new Mount { Destination = "/data", Type = "tmpfs", Source = "tmpfs", Options = ["tmpcopyup"] }));
        Assert.Equal("from the image\n1\n", output);
    }

    [Theory]
    [InlineData("private", "")]
    [InlineData("slave", "master:")]
    [InlineData("shared", "shared:")]
    [InlineData("unbindable", "unbindable")]
    [SpecProperty("linux.rootfsPropagation")]
    public async Task The_roots_propagation_is_as_asked(string propagation, string tag)
    {
        var output = await OutputOfAsync("grep ' / / ' /proc/self/mountinfo | head -1; grep ' / / ' /proc/self/mountinfo | busybox cut -d' ' -f7-", request => WithLinux(request, linux => linux with { RootfsPropagation = propagation }));
        if (propagation is "shared" or "unbindable")
        {
            Assert.Contains(tag, output);
        }
        else
        {
            Assert.DoesNotContain("shared:", output);
        }
    }

    [Theory]
    [InlineData("rshared", "shared:")]
    [InlineData("runbindable", "unbindable")]
    [SpecProperty("mounts[].options (propagation)")]
    public async Task A_mounts_propagation_is_as_asked(string option, string tag) =>
        Assert.Contains(tag, await OutputOfAsync("grep ' /p ' /proc/self/mountinfo", request => With(request, new Mount { Destination = "/p", Type = "tmpfs", Source = "tmpfs", Options = [option] })));

    [Theory]
    [InlineData("defaults")]
    [InlineData("idmap")]
    [InlineData("ridmap")]
    [SpecProperty("mounts[].uidMappings", RefusedIn = RuntimeMode.Rootless)]
    [SpecProperty("mounts[].gidMappings", RefusedIn = RuntimeMode.Rootless)]
    public async Task An_id_mapped_mount_shows_other_owners(string option)
    {
        var source = NewDirectory(isMapped: true);
        File.WriteAllText(Path.Combine(source, "file"), "");
        SandboxRequest Change(SandboxRequest request) => With(request, Bind("/m", source, "rbind", option) with
        {
            UidMappings = [new IdMapping(0, HostUid(1000), 10)],
            GidMappings = [new IdMapping(0, Mode == RuntimeMode.Root ? 2000u : 302_000u, 10)],
        });

        if (IsRefused)
        {
            await RefusedAsync("mount on /m:", Change);
            return;
        }

        Assert.Equal("1000:2000\n", await OutputOfAsync("stat -c %u:%g /m/file; touch /m/new", Change));
    }

    [Fact]
    [SpecProperty("mounts[].options (idmap, ridmap)", RefusedIn = RuntimeMode.Rootless)]
    public async Task Without_mappings_of_its_own_a_mount_takes_the_containers()
    {
        var source = NewDirectory(isMapped: true);
        File.WriteAllText(Path.Combine(source, "file"), "");
        if (IsRefused)
        {
            await RefusedAsync("mount on /m:", request => With(request, Bind("/m", source, "bind", "idmap")));
            return;
        }

        var output = await OutputOfAsync("stat -c %u:%g /m/file; touch /m/new && stat -c %u /m/new", request =>
            With(WithNamespaces(Mapped(request), new Namespace("user")), Bind("/m", source, "bind", "idmap")));
        Assert.Equal("0:0\n0\n", output);
        Assert.Equal(0u, Linux.Files.FileStatus.At(null, Path.Combine(source, "new"))!.Value.Uid);
    }

    [Fact]
    [SpecProperty("linux.maskedPaths")]
    [SpecProperty("linux.readonlyPaths")]
    public async Task Hidden_paths_are_covered_where_they_really_are()
    {
        // An image that makes /dev/null a link or a file of its own must not decide what covers a masked path (CVE-2025-31133).
        var layer = Path.Combine(NewDirectory(), "layer");
        Directory.CreateDirectory(Path.Combine(layer, "dev"));
        File.CreateSymbolicLink(Path.Combine(layer, "dev/null"), "/proc/sys/kernel/core_pattern");
        Give(layer, isMapped: true);
        await FailureAsync(request => WithOptions(request, options => options with { Rootfs = [options.Rootfs[0] with { LowerDirectories = [layer, RootFilesystem] }] }) with
        {
            Spec = request.Spec with { Mounts = [.. request.Spec.Mounts.Where(mount => !mount.Destination.StartsWith("/dev", StringComparison.Ordinal))] },
        });
    }

    [Fact]
    [SpecProperty("process.terminal")]
    public async Task A_console_that_is_a_link_is_refused()
    {
        var layer = Path.Combine(NewDirectory(), "layer");
        Directory.CreateDirectory(Path.Combine(layer, "dev"));
        File.CreateSymbolicLink(Path.Combine(layer, "dev/console"), "/etc/passwd");
        Give(layer, isMapped: true);
        Assert.Contains("/dev/console", await FailureAsync(request => WithProcess(WithOptions(request, options => options with { Rootfs = [options.Rootfs[0] with { LowerDirectories = [layer, RootFilesystem] }] }), process => process with { Terminal = true }) with
        {
            Spec = request.Spec with { Process = request.Spec.Process! with { Terminal = true }, Mounts = [.. request.Spec.Mounts.Where(mount => mount.Destination is not "/dev")] },
        }));
    }

    [Theory]
    [InlineData("/proc", "proc")]
    [InlineData("/sys", "sysfs")]
    public async Task A_kernel_file_system_is_not_mounted_through_a_link(string destination, string type)
    {
        var layer = Path.Combine(NewDirectory(), "layer");
        Directory.CreateDirectory(layer);
        File.CreateSymbolicLink(layer + destination, "/tmp");
        Give(layer, isMapped: true);
        Assert.Contains(type, await FailureAsync(request => WithOptions(request, options => options with { Rootfs = [options.Rootfs[0] with { LowerDirectories = [layer] }] })));
    }

    /// <summary>Such as an /etc/resolv.conf that leads into a /run which nobody has filled yet.</summary>
    [Fact]
    public async Task A_mount_on_a_link_to_nothing_is_where_the_link_leads()
    {
        var layer = Path.Combine(NewDirectory(), "layer");
        Directory.CreateDirectory(Path.Combine(layer, "etc"));
        File.CreateSymbolicLink(Path.Combine(layer, "etc/one"), "../run/deep/two");
        Directory.CreateDirectory(Path.Combine(layer, "run"));
        Give(layer, isMapped: true);
        var source = Path.Combine(NewDirectory(), "source");
        await File.WriteAllTextAsync(source, "content\n", TestContainer.Cancel);
        Give(source);
        var output = await OutputOfAsync("cat /etc/one /run/deep/two; grep -c ' /run/deep/two ' /proc/self/mountinfo", request =>
            WithOptions(request, options => options with { Rootfs = [options.Rootfs[0] with { LowerDirectories = [layer, RootFilesystem] }] }) with
            {
                Spec = request.Spec with { Mounts = [.. request.Spec.Mounts, new Mount { Destination = "/etc/one", Type = "bind", Source = source, Options = ["bind", "ro"] }] },
            });
        Assert.Equal("content\ncontent\n1\n", output);
    }

    [Fact]
    [SpecProperty("root.path")]
    [SpecProperty("root.readonly")]
    public async Task A_plain_directory_is_the_root()
    {
        var root = NewDirectory();
        Directory.CreateDirectory(Path.Combine(root, "bin"));
        File.Copy(Path.Combine(RootFilesystem, "bin/busybox"), Path.Combine(root, "bin/sh"));
        Give(root);
        var output = await OutputOfAsync("echo *; echo x > /y || echo refused", request => WithOptions(request, options => options with { Rootfs = [] }) with
        {
            Spec = request.Spec with { Root = new Root { Path = root, Readonly = true } },
        });
        Assert.Equal("bin dev proc sys\nrefused\n", output);
    }

    private Task<string> MountsOfAsync(string prefix, Mount[] mounts) =>
        OutputOfAsync($"grep -E ' {prefix}(/[a-z]+)? ' /proc/self/mountinfo | busybox cut -d' ' -f5,6", request => With(request, mounts));

    private static SandboxRequest With(SandboxRequest request, params Mount[] mounts) =>
        request with { Spec = request.Spec with { Mounts = [.. request.Spec.Mounts, .. mounts] } };

    private static Mount Bind(string destination, string source, params string[] options) => new() { Destination = destination, Type = "bind", Source = source, Options = options };
}
