using Wherry.Linux.Capabilities;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci.Commands;

/// <summary><c>wherry-oci features</c> (runtime-spec, features.md).</summary>
public sealed class FeaturesCommand : ICommand
{
    public const string OldestSpec = "1.0.0";
    public const string NewestSpec = "1.2.0";

    // The specification has no field for it, so this is where callers look.
    private const string CheckpointMark = "org.opencontainers.runc.checkpoint.enabled";

    private static readonly string[] MountOptions =
    [
        "atime", "bind", "defaults", "dev", "diratime", "exec", "idmap", "noatime", "nodev", "nodiratime", "noexec", "norelatime",
        "nostrictatime", "nosuid", "nosymfollow", "private", "ratime", "rbind", "rdev", "rdiratime", "relatime", "remount", "rexec", "ridmap", "rnoatime",
        "rnodev", "rnodiratime", "rnoexec", "rnorelatime", "rnostrictatime", "rnosuid", "rnosymfollow", "ro", "rprivate", "rrelatime",
        "rro", "rrw", "rshared", "rslave", "rstrictatime", "rsuid", "rsymfollow", "runbindable", "rw", "shared", "slave", "strictatime",
        "suid", "symfollow", "tmpcopyup", "unbindable",
    ];

    /// <summary>What is true of this binary on any host; what a host lacks shows when it is asked for.</summary>
    public static string Text => $$"""
        {
          "ociVersionMin": "{{OldestSpec}}",
          "ociVersionMax": "{{NewestSpec}}",
          "hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
          "mountOptions": [{{Quote(MountOptions)}}],
          "linux": {
            "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
            "capabilities": [{{Quote(Capability.AllNames)}}],
            "cgroup": { "v1": true, "v2": true, "systemd": true, "systemdUser": true },
            "seccomp": {
              "enabled": true,
              "actions": ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"],
              "operators": ["SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"],
              "archs": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64"],
              "knownFlags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
              "supportedFlags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]
            },
            "apparmor": { "enabled": true },
            "selinux": { "enabled": false },
            "intelRdt": { "enabled": false },
            "mountExtensions": { "idmap": { "enabled": true } }
          },
          "annotations": { "io.wherry.version": "{{ProgramVersion.Text}}", "{{CheckpointMark}}": "true" }
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
