using System.Globalization;
using Wherry.Linux.Processes;

namespace Wherry.Daemon.Rootless;

/// <summary>Where an ordinary user's engine keeps things (XDG Base Directory Specification); root's has its places in the system's own.</summary>
internal static class UserDirectories
{
    public const string SessionVariable = "XDG_RUNTIME_DIR";

    private const string Name = "wherry";

    /// <summary>This process is an ordinary user's, or the engine that such a user has started.</summary>
    public static bool AreMeant { get; } = !Environment.IsPrivilegedProcess || RootlessEngine.IsThisProcess;

    public static string DataRoot => Path.Combine(Base("XDG_DATA_HOME", ".local/share"), Name);

    public static string ConfigFile => Path.Combine(Base("XDG_CONFIG_HOME", ".config"), Name, "daemon.json");

    /// <summary>The directory of the user's session; null where he has none, and with it no place for what lives only as long.</summary>
    public static string? Session
    {
        get
        {
            if (Environment.GetEnvironmentVariable(SessionVariable) is ['/', ..] given)
            {
                return given;
            }

            var usual = $"/run/user/{ProcessSyscalls.EffectiveIds.Uid.ToString(CultureInfo.InvariantCulture)}";
            return Directory.Exists(usual) ? usual : null;
        }
    }

    public static string? ExecRoot => Session is { } session ? Path.Combine(session, Name) : null;

    // Relative paths in these variables are invalid and to be ignored.
    private static string Base(string variable, string otherwise) => Environment.GetEnvironmentVariable(variable) is ['/', ..] given
        ? given
        : Path.Combine(Environment.GetEnvironmentVariable("HOME") is ['/', ..] home ? home : "/", otherwise);
}
