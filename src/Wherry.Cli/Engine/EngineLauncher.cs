using Wherry.Cli.CommandLine;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Engine;

/// <summary>
/// Starts the engine on demand, on the caller's default socket: in a session of its own, with its output in a log,
/// and says so. Root's is the system's; an ordinary user's his own.
/// </summary>
internal sealed class EngineLauncher(TextWriter notices)
{
    private const int WaitMilliseconds = 15_000;
    private const int PollMilliseconds = 15;

    /// <summary>True once an engine answers; false where we may not or cannot start one.</summary>
    /// <exception cref="CliException">The engine was started and did not come up.</exception>
    internal bool Start(EngineAddress address)
    {
        if ((Libc.EffectiveUserId() != 0 && address.SocketPath == EngineAddress.SystemSocket) || FindEngine() is not { } program)
        {
            return false;
        }

        var log = PrepareLog();
        var process = DetachedProcess.Start(program, log);
        using var probe = new EngineClient(address, static _ => false);
        for (var waited = 0; waited < WaitMilliseconds; waited += PollMilliseconds)
        {
            if (probe.Answers())
            {
                notices.WriteLine($"wherry: the engine was not running: started {program} (pid {process}, log {log})");
                return true;
            }

            // Another command may have started one at the same moment: then ours ends and the other answers.
            if (DetachedProcess.HasEnded(process) && !AnswersSoon(probe))
            {
                throw Failed(program, log, "ended at once");
            }

            Thread.Sleep(PollMilliseconds);
        }

        throw Failed(program, log, $"did not answer within {WaitMilliseconds / 1000} seconds");
    }

    private static bool AnswersSoon(EngineClient probe)
    {
        for (var i = 0; i < 100; i++)
        {
            if (probe.Answers())
            {
                return true;
            }

            Thread.Sleep(PollMilliseconds);
        }

        return false;
    }

    private static CliException Failed(string program, string log, string what)
    {
        string[] tail;
        try
        {
            tail = File.ReadLines(log).TakeLast(3).ToArray();
        }
        catch (IOException)
        {
            tail = [];
        }

        return new CliException($"the engine was not running, and {program} {what}")
        {
            Hint = tail.Length == 0 ? $"Its log is {log}." : $"Its log, {log}, ends with:\n  {string.Join("\n  ", tail)}",
        };
    }

    /// <summary>The engine beside our own executable, else in PATH.</summary>
    internal static string? FindEngine()
    {
        var directories = new List<string>();
        if (Path.GetDirectoryName(Environment.ProcessPath) is { } own)
        {
            directories.Add(own);
        }

        directories.AddRange((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries));
        return directories.Select(static d => Path.Combine(d, "wherryd")).FirstOrDefault(File.Exists);
    }

    private static string PrepareLog()
    {
        var own = Path.GetDirectoryName(EngineAddress.DefaultSocket)!;
        foreach (var directory in Libc.EffectiveUserId() == 0 ? ["/var/log/wherry", own] : new[] { own })
        {
            try
            {
                Directory.CreateDirectory(directory);
                return Path.Combine(directory, "wherryd.log");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A read-only /var: the next place will do.
            }
        }

        return "/dev/null";
    }
}
