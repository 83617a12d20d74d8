using System.Globalization;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.Tests.Harness;

/// <summary>
/// An ordinary user with subordinate ids, whose containers are made by a supervisor that runs as he. He exists for that
/// supervisor only, in mounts of its own, so that the host's accounts stay as they are.
/// </summary>
public static class RootlessUser
{
    private const uint Uid = 61_234;
    private const uint FirstSubordinateId = 2_000_000_000;
    private const uint SubordinateIds = 65_535;
    private const string Name = "wherry-rootless";
    private const string Signals = "CHLD,HUP,INT,QUIT,TERM,USR1,USR2,WINCH";

    private static readonly string[] Accounts = ["passwd", "group", "subuid", "subgid"];

    private static readonly Lazy<string> Made = new(Make);

    /// <summary>A copy of the tests' own that is the user's.</summary>
    public static string RootFilesystem { get; } = Path.Combine(TestHost.Directory, "rootless", "rootfs");

    /// <summary>A program that is the supervisor, as this user.</summary>
    public static string ShimPath => Made.Value;

    /// <summary>The id on the host of one inside: his own is root's there.</summary>
    public static uint HostId(uint inside) => inside == 0 ? Uid : FirstSubordinateId + inside - 1;

    public static void Require() =>
        Assert.SkipWhen(!File.Exists("/usr/bin/newuidmap") && !File.Exists("/bin/newuidmap"), "needs newuidmap (apt-get install uidmap)");

    /// <summary>A request as this user can make it: all his ids, a root that is his, nothing limited.</summary>
    public static SandboxRequest Adapt(SandboxRequest request) => TestContainer.WithNamespaces(
        TestContainer.WithOptions(
            TestContainer.WithLinux(request, linux => linux with { UidMappings = Mappings, GidMappings = Mappings }),
            options => options with { Rootfs = [options.Rootfs[0] with { LowerDirectories = [RootFilesystem] }] }),
        new Namespace("user"));

    private static IReadOnlyList<IdMapping> Mappings { get; } = [new(0, Uid, 1), new(1, FirstSubordinateId, SubordinateIds)];

    private static string Make()
    {
        var directory = Path.GetDirectoryName(RootFilesystem)!;
        Directory.CreateDirectory(directory);
        var supervisor = Path.Combine(directory, "wherry-shim");
        File.Copy(TestHost.ShimPath, supervisor);
        TestHost.Run("cp", "-a", TestHost.RootFilesystem, RootFilesystem);
        TestHost.Run("chown", "-R", Text($"{Uid}:{Uid}"), RootFilesystem);
        foreach (var file in Accounts)
        {
            var entry = file switch
            {
                "passwd" => Text($"{Name}:x:{Uid}:{Uid}::/nonexistent:/bin/sh\n"),
                "group" => Text($"{Name}:x:{Uid}:\n"),
                _ => Text($"{Name}:{FirstSubordinateId}:{SubordinateIds}\n"),
            };
            File.WriteAllText(Path.Combine(directory, file), (File.Exists("/etc/" + file) ? File.ReadAllText("/etc/" + file) : "") + entry);
        }

        // The container's directory has just been made by root, who starts this. A shell lets signals through again, which
        // a supervisor is started without: it takes them from a descriptor.
        var script = Path.Combine(directory, "supervise");
        var mounts = string.Join(" && ", Accounts.Where(file => File.Exists("/etc/" + file)).Select(file => $"mount --bind {directory}/{file} /etc/{file}"));
        File.WriteAllText(script, Text($$"""
            #!/bin/sh
            chown -R {{Uid}}:{{Uid}} {{TestHost.Directory}}/"$2"
            exec unshare --mount --propagation slave /bin/sh -c '{{mounts}} && exec setpriv --reuid={{Uid}} --regid={{Uid}} --clear-groups -- env --block-signal={{Signals}} {{supervisor}} "$@"' sh "$@"

            """));
        File.SetUnixFileMode(script, (UnixFileMode)0x1ed);
        return script;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
