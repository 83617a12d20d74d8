using System.Globalization;
using Wherry.Daemon.Logging;
using Wherry.Daemon.Options;
using Wherry.Errors;
using Wherry.Linux.Processes;

namespace Wherry.Daemon.Rootless;

/// <summary>The way of an ordinary user's <c>wherryd</c> into namespaces in which it is root.</summary>
internal static class RootlessEntry
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>
    /// Finds the namespaces of a former engine, or makes them, and executes this program again inside them, as the same
    /// process: who started the engine goes on watching the engine. Only a process of one thread can enter a user
    /// namespace, which a .NET program never is, so nsenter(1) goes first. Returns only by an exception.
    /// </summary>
    /// <exception cref="WherryException">The host does not let this user.</exception>
    public static void Enter(DaemonOptions options, string[] arguments, LineLog log)
    {
        if (options.ExecRoot.Length == 0)
        {
            throw WherryException.Invalid("XDG_RUNTIME_DIR is not set and /run/user has no directory of this user's: log in, or say with --exec-root where sockets may go");
        }

        MakeDirectory(options.ExecRoot);
        int holder;
        using (HolderProcess.Lock(options.ExecRoot))
        {
            holder = (HolderProcess.Find(options.ExecRoot) ?? HolderProcess.Make(options.ExecRoot, warning => log.Write(LogLevel.Warn, warning))).Pid;
        }

        var namespaces = $"/proc/{Text(holder)}/ns/";
        ProcessSyscalls.Execute(
            HolderProcess.Tool("nsenter", "util-linux"),
            ["nsenter", "--preserve-credentials", $"--user={namespaces}user", $"--mount={namespaces}mnt", "--", Environment.ProcessPath!, .. arguments],
            [.. EnvironmentFor(holder)]);
    }

    // Inside, where the user's number is another, his session could not be found by it.
    private static IEnumerable<string> EnvironmentFor(int holder)
    {
        var inherited = OwnEnvironment.Entries()
            .Where(entry => !entry.StartsWith(UserDirectories.SessionVariable + "=", StringComparison.Ordinal))
            .Append($"{RootlessEngine.HolderVariable}={Text(holder)}");
        return UserDirectories.Session is { } session ? inherited.Append($"{UserDirectories.SessionVariable}={session}") : inherited;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static void MakeDirectory(string path)
    {
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw WherryException.System($"make exec root {path}: {failure.Message}", failure);
        }
    }
}
