using Wherry.Linux.Capabilities;

namespace Wherry.Shim.Oci;

/// <summary><c>wherry-oci features</c> (runtime-spec, features.md).</summary>
public static class FeaturesCommand
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

    private static string Quote(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"\"{name}\""));
}
