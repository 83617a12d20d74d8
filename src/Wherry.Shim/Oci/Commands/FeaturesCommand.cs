using Wherry.Linux.Capabilities;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>wherry-oci features</c> (runtime-spec, features.md).</summary>
public sealed class FeaturesCommand : ICommand
{
    public const string OldestSpec = "1.0.0";
    public const string NewestSpec = "1.2.0";

    private static readonly string[] MountOptions =
    [
        "atime", "bind", "defaults", "dev", "diratime", "exec", "noatime", "nodev", "nodiratime", "noexec", "norelatime",
        "nostrictatime", "nosuid", "nosymfollow", "private", "ratime", "rbind", "rdev", "rdiratime", "relatime", "rexec", "rnoatime",
        "rnodev", "rnodiratime", "rnoexec", "rnorelatime", "rnostrictatime", "rnosuid", "rnosymfollow", "ro", "rprivate", "rrelatime",
        "rro", "rrw", "rshared", "rslave", "rstrictatime", "rsuid", "rsymfollow", "runbindable", "rw", "shared", "slave", "strictatime",
        "suid", "symfollow", "unbindable",
    ];

    /// <summary>What is true of this binary on any host; what a host lacks shows when it is asked for.</summary>
    public static string Text => $$"""
        {
          "ociVersionMin": "{{OldestSpec}}",
          "ociVersionMax": "{{NewestSpec}}",
          "hooks": [],
          "mountOptions": [{{Quote(MountOptions)}}],
          "linux": {
            "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "uts"],
            "capabilities": [{{Quote(Capability.AllNames)}}],
            "cgroup": { "v1": true, "v2": true, "systemd": false, "systemdUser": false },
            "seccomp": { "enabled": false },
            "apparmor": { "enabled": false },
            "selinux": { "enabled": false },
            "intelRdt": { "enabled": false },
            "mountExtensions": { "idmap": { "enabled": false } }
          },
          "annotations": { "io.wherry.version": "{{ProgramVersion.Text}}" }
        }
        """;

    public OptionTable Options => new("features");

    public int Run(GlobalOptions global, ParsedOptions parsed)
    {
        parsed.RequireOperands("features", 0);
        ConsoleText.WriteLine(1, Text);
        return 0;
    }

    private static string Quote(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"\"{name}\""));
}
