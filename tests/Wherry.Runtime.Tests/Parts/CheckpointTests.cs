using System.Text;
using Wherry.Errors;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Mounts;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Checkpoints;

namespace Wherry.Runtime.Tests.Parts;

/// <summary>The parts of checkpoints that need no CRIU: its messages, our record, mount tables.</summary>
public sealed class CheckpointTests
{
    [Fact]
    public void Messages_are_read_as_crius_protocol_writes_them()
    {
        // type NOTIFY, success, notify { script "post-restore", pid 300 }, and a field of a later version.
        byte[] message = [0x08, 6, 0x10, 1, 0x2a, 17, 0x0a, 12, .. "post-restore"u8, 0x10, 0xac, 0x02, 0xfd, 0x0f, 1, 2, 3, 4];
        var answer = CriuAnswer.Parse(message);
        Assert.Equal((CriuKind.Notify, true, "post-restore", 300), (answer.Kind, answer.Success, answer.Event, answer.Pid));
        for (var length = 1; length < message.Length; length++)
        {
            try
            {
                CriuAnswer.Parse(message.AsSpan(0, length));
            }
            catch (WherryException e)
            {
                Assert.Contains("not a message", e.Message, StringComparison.Ordinal);
            }
        }

        Assert.Throws<WherryException>(() => CriuAnswer.Parse([0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    }

    [Fact]
    public void Options_are_written_as_crius_protocol_has_them()
    {
        var writer = new ProtobufWriter();
        new CriuOptions { Log = "l", Root = "/r", Images = 7, Pid = -1, ExternalMounts = [("/a", "b")] }.WriteTo(writer);
        var seen = new List<int>();
        var reader = new ProtobufReader(writer.Written);
        while (reader.Next())
        {
            seen.Add(reader.Field);
            switch (reader.Field)
            {
                case 1:
                    Assert.Equal(7, reader.Number);
                    break;
                case 2:
                    Assert.Equal(-1, reader.Number);
                    break;
                case 13:
                    Assert.Equal("/r", reader.Text);
                    break;
                case 23:
                    Assert.Equal("\n\u0002/a\u0012\u0001b", Encoding.ASCII.GetString(reader.Message));
                    break;
            }
        }

        Assert.Equal([1, 2, 13, 23], seen.Intersect([1, 2, 13, 23]));
    }

    [Fact]
    public void A_record_comes_back_as_it_was_written_and_a_damaged_one_is_refused()
    {
        var record = new CheckpointRecord
        {
            Namespaces = ["mount", "pid"],
            Users = ["0 100000 65536"],
            Terminal = true,
            Streams = ["pipe:[1]", "", "file[1:2]"],
            Mounts = [new OutsideMount("/data/\"x\"", OutsideMount.Bind, "/data", "/\"x\"")],
        };
        var json = record.ToJson();
        var read = CheckpointRecord.Parse(json);
        Assert.Equal(record.Streams, read.Streams);
        Assert.Equal(record.Mounts, read.Mounts);
        Assert.Equal(record.Users, read.Users);
        Assert.Equal((record.Terminal, record.JoinsNetwork), (read.Terminal, read.JoinsNetwork));
        for (var length = 0; length < json.Length; length++)
        {
            Assert.Throws<WherryException>(() => CheckpointRecord.Parse(json.AsSpan(0, length)));
        }

        Assert.Throws<WherryException>(() => CheckpointRecord.Parse("""{ "namespaces": [null] }"""u8));
    }

    [Fact]
    public void Of_what_is_no_bind_only_the_hosts_devices_are_mounted_again()
    {
        var (spec, cgroup) = (new Spec(), CgroupHost.Detect().Locate("/none"));
        Assert.Equal("/dev/null", Mounted("/dev/null").SourceIn(spec, "/", cgroup));
        foreach (var path in new[] { "/etc/shadow", "/dev/../etc/shadow", "/dev/nothing", "/dev", "dev/null", "/dev/./null", "/dev/fd" })
        {
            Assert.Contains("this host has no device", Assert.Throws<WherryException>(() => Mounted(path).SourceIn(spec, "/", cgroup)).Message, StringComparison.Ordinal);
        }

        static OutsideMount Mounted(string of) => new("/dev/null", OutsideMount.Device, of, "");
    }

    [Theory]
    [InlineData("user")]
    [InlineData("time")]
    public void A_namespace_that_is_anothers_is_refused_by_name(string type)
    {
        Namespace[] own = [new("pid"), new("mount"), new(type)];
        CheckpointCheck.Require(new Spec { Linux = new LinuxConfig { Namespaces = own } });
        own[2] = new Namespace(type, "/proc/1/ns/" + type);
        var refused = Assert.Throws<WherryException>(() => CheckpointCheck.Require(new Spec { Linux = new LinuxConfig { Namespaces = own } }));
        Assert.Contains($"linux.namespaces: {type}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Beside_a_user_namespace_no_network_may_be_anothers()
    {
        Namespace[] namespaces = [new("pid"), new("mount"), new("user"), new("network")];
        CheckpointCheck.Require(new Spec { Linux = new LinuxConfig { Namespaces = namespaces } });
        namespaces[3] = new Namespace("network", "/run/netns/other");
        var refused = Assert.Throws<WherryException>(() => CheckpointCheck.Require(new Spec { Linux = new LinuxConfig { Namespaces = namespaces } }));
        Assert.Contains("linux.namespaces: network", refused.Message, StringComparison.Ordinal);
        CheckpointCheck.Require(new Spec { Linux = new LinuxConfig { Namespaces = [namespaces[0], namespaces[1], namespaces[3]] } });
    }

    [Fact]
    public void A_link_in_a_binds_source_leads_no_mount_out_of_it()
    {
        var source = Directory.CreateTempSubdirectory("wherry-checkpoint").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(source, "real"));
            File.CreateSymbolicLink(Path.Combine(source, "link"), "/etc");
            var spec = new Spec { Mounts = [new Mount { Destination = "/data", Type = "bind", Source = source, Options = ["rbind"] }] };
            var cgroup = CgroupHost.Detect().Locate("/none");
            Assert.Equal(source + "/real", Mounted("/real").SourceIn(spec, "/", cgroup));
            foreach (var below in new[] { "/link", "/../etc", "/real/../../etc", "real" })
            {
                Assert.Throws<WherryException>(() => Mounted(below).SourceIn(spec, "/", cgroup));
            }
        }
        finally
        {
            Directory.Delete(source, recursive: true);
        }

        static OutsideMount Mounted(string below) => new("/data" + below, OutsideMount.Bind, "/data", below);
    }

    [Fact]
    public void Mount_tables_are_read_with_their_escapes()
    {
        var entries = MountTable.Parse("36 35 98:0 /mnt1 /with\\040space rw,noatime master:1 - ext3 /dev/root rw\nnonsense\n37 36 0:5 / /b rw - tmpfs t rw\n");
        Assert.Equal([new MountEntry(36, 35, 98, 0, "/mnt1", "/with space", "ext3"), new MountEntry(37, 36, 0, 5, "/", "/b", "tmpfs")], entries);
    }
}
