using Wherry.Linux.Processes;

namespace Wherry.Shim.Oci.CommandLine;

/// <summary>What is said before the command.</summary>
/// <param name="Root">Where containers' state is kept.</param>
/// <param name="SystemdCgroup">Cgroups are systemd's to make.</param>
/// <param name="Criu">CRIU's program, by path or name.</param>
public sealed record GlobalOptions(string Root, bool SystemdCgroup, string Criu, OciLog Log)
{
    private const string SystemRoot = "/run/wherry-oci";

    public static OptionTable Table => new(
        "[global options] COMMAND [options] [operands]",
        "root= Where containers' state is kept (default: /run/wherry-oci, or $XDG_RUNTIME_DIR/wherry-oci for ordinary users)",
        "log= File to log to (default: standard error)",
        "log-format= text or json",
        "debug Log more",
        "systemd-cgroup Let systemd make the cgroups",
        "rootless= Ignored: whether the caller is root is found out",
        "criu= CRIU's program, for checkpoint and restore (default: criu)",
        "version,v Print the version")
    {
        OperandsEndOptions = true,
    };

    public static GlobalOptions From(ParsedOptions parsed, OciLog log) =>
        new(Path.GetFullPath(parsed.Text("root") is { Length: > 0 } root ? root : DefaultRoot()), parsed.IsOn("systemd-cgroup"), parsed.Text("criu") is { Length: > 0 } criu ? criu : "criu", log);

    /// <summary>The caller is not the host's root, but maybe one in a user namespace, such as an ordinary user's podman.</summary>
    public static bool IsOrdinaryUser => !Environment.IsPrivilegedProcess || UserNamespace.IsInside;

    private static string DefaultRoot() =>
        IsOrdinaryUser && Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime
            ? Path.Combine(runtime, OciCommandLine.ProgramName)
            : SystemRoot;
}
