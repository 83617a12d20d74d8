using System.Globalization;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Accounts;
using Wherry.Linux.Files;
using Wherry.Linux.Locks;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Networking.Uplink;

namespace Wherry.Daemon.Rootless;

/// <summary>
/// The process that keeps an ordinary user's namespaces alive while no engine is. Containers live in them, so a new
/// engine must find the same again: the process is written down in the exec root, by its id and the time of its start.
/// </summary>
internal sealed class HolderProcess
{
    private const string RecordName = "holder";
    private const CloneFlags Namespaces = CloneFlags.NewUser | CloneFlags.NewMount | CloneFlags.NewNetwork;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private HolderProcess(int pid) => Pid = pid;

    public int Pid { get; }

    public static string UplinkRecord(string execRoot) => Path.Combine(execRoot, "uplink");

    /// <summary>Keeps others from making or ending namespaces meanwhile.</summary>
    public static FileLock Lock(string execRoot)
    {
        var path = Path.Combine(execRoot, "holder.lock");
        var end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (true)
        {
            if (FileLock.TryTake(path) is { } taken)
            {
                return taken;
            }

            if (Environment.TickCount64 >= end)
            {
                throw WherryException.Conflict($"another engine has been starting in {execRoot} for {Patience.TotalSeconds:0} seconds; it may hang");
            }

            Thread.Sleep(10);
        }
    }

    /// <returns>Null when none is written down, or that one has ended.</returns>
    public static HolderProcess? Find(string execRoot)
    {
        var words = (FileSyscalls.TryReadText(Path.Combine(execRoot, RecordName)) ?? "").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return words is [var id, var started]
            && int.TryParse(id, CultureInfo.InvariantCulture, out var pid)
            && ProcessStat.TryRead(pid) is { HasEnded: false } stat
            && stat.StartTime.ToString(CultureInfo.InvariantCulture) == started
            ? new HolderProcess(pid)
            : null;
    }

    /// <summary>Makes the namespaces, with all ids the user has been granted.</summary>
    /// <param name="execRoot">Where it is written down.</param>
    /// <param name="warn">Told what the host does not give, and what follows.</param>
    /// <exception cref="WherryException">The host lets this user have none.</exception>
    public static HolderProcess Make(string execRoot, Action<string> warn)
    {
        var (uid, gid) = ProcessSyscalls.EffectiveIds;
        var (users, groups) = GrantedIds(uid, gid, warn);
        var (ours, kept) = FileSyscalls.Pipe();
        using (ours)
        using (kept)
        {
            var pid = Start(kept);
            try
            {
                UserNamespace.WriteMappings(pid, users, groups);
                var started = ProcessStat.TryRead(pid)?.StartTime ?? 0;
                File.WriteAllText(Path.Combine(execRoot, RecordName), string.Create(CultureInfo.InvariantCulture, $"{pid} {started}\n"));
                return new HolderProcess(pid);
            }
            catch
            {
                ProcessSyscalls.Kill(pid, SignalNumber.Kill);
                ProcessSyscalls.Wait(pid, block: true);
                throw;
            }
        }
    }

    /// <summary>Ends the namespaces that are written down, and the way out of them; no container may be left in them.</summary>
    public static void End(string execRoot)
    {
        using var alone = Lock(execRoot);
        UserModeUplink.End(UplinkRecord(execRoot));
        if (Find(execRoot) is { } holder)
        {
            ProcessSyscalls.Kill(holder.Pid, SignalNumber.Kill);
        }

        File.Delete(Path.Combine(execRoot, RecordName));
    }

    private static int Start(FileDescriptor kept)
    {
        var sleep = Tool("sleep", "coreutils");
        try
        {
            return NamespaceHolder.Start(sleep, ["sleep", "infinity"], Namespaces, kept);
        }
        catch (LinuxException refused) when (refused.ErrorNumber is Errno.EPERM or Errno.ENOSPC or Errno.EINVAL or Errno.EACCES)
        {
            throw WherryException.Unsupported(
                $"{refused.Message}: this host lets ordinary users make no user namespaces, which an engine without root needs (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)");
        }
    }

    private static (IReadOnlyList<IdRange> Users, IReadOnlyList<IdRange> Groups) GrantedIds(uint uid, uint gid, Action<string> warn)
    {
        var (users, groups) = SubordinateIds.MappingsOf(uid, gid);
        var missing = users.Count == 1 || groups.Count == 1 ? "this user has no range of ids in /etc/subuid and /etc/subgid ('usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER', by root, gives one)"
            : UserNamespace.FindMapper("newuidmap") is null || UserNamespace.FindMapper("newgidmap") is null ? "newuidmap and newgidmap are not installed (package uidmap)"
            : null;
        if (missing is null)
        {
            return (users, groups);
        }

        warn($"{missing}: only root exists in containers, and every file of an image is root's");
        return ([users[0]], [groups[0]]);
    }

    /// <summary>A program every distribution has.</summary>
    public static string Tool(string name, string package) =>
        new[] { "/usr/bin/", "/bin/", "/usr/local/bin/" }.Select(directory => directory + name).FirstOrDefault(File.Exists)
        ?? throw WherryException.Unsupported($"an engine without root needs the program {name} (package {package})");
}
