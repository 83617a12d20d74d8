using Wherry.Linux.Kernel;

namespace Wherry.Linux.Processes;

/// <summary>How a child ended (wait(2)).</summary>
/// <param name="Pid">Its process id.</param>
/// <param name="Status">The raw wait status.</param>
public readonly record struct EndedChild(int Pid, int Status)
{
    /// <summary>The exit code as shells and Docker count: 128 + signal number when a signal ended it.</summary>
    public int ExitCode => (Status & 0x7f) == 0 ? (Status >> 8) & 0xff : 128 + (Status & 0x7f);
}

/// <summary>Processes: waiting, signalling, namespaces, process attributes.</summary>
public static unsafe class ProcessSyscalls
{
    private const int WaitNoHang = 1;
    private const int WaitAll = 0x40000000;
    private const int PrSetPdeathsig = 1;
    private const int PrGetDumpable = 3;
    private const int PrSetDumpable = 4;
    private const int PrSetName = 15;
    private const int PrSetChildSubreaper = 36;
    private const int PrSetNoNewPrivs = 38;
    private const int OwnFileSystemState = 0x200;
    private const int EmptyPath = 0x1000;

    public static int CurrentId => (int)Syscall.Call(SyscallNumber.Getpid);

    public static int ParentId => (int)Syscall.Call(SyscallNumber.Getppid);

    /// <summary>A descriptor that stands for the process and becomes readable when it ends.</summary>
    public static FileDescriptor OpenPidfd(int pid) =>
        new((int)Syscall.Check(Syscall.Call(SyscallNumber.PidfdOpen, pid), $"open a descriptor of process {pid}"));

    /// <summary>Collects an ended child; null when none has ended yet (or there is none).</summary>
    /// <param name="pid">−1 for any child.</param>
    /// <param name="block">Wait until one ends.</param>
    public static EndedChild? Wait(int pid, bool block)
    {
        int status;

        // SAFETY: status lives on our stack for the time of the call.
        var result = Syscall.Retry(SyscallNumber.Wait4, pid, (nint)(&status), WaitAll | (block ? 0 : WaitNoHang));
        return result > 0 ? new EndedChild((int)result, status) : null;
    }

    /// <summary>This process's children, also those that have ended and were not collected (proc(5), children).</summary>
    public static IReadOnlyList<int> Children()
    {
        var found = new List<int>();
        foreach (var thread in Directory.GetDirectories("/proc/self/task"))
        {
            foreach (var word in (Files.FileSyscalls.TryReadText(thread + "/children") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                found.Add(int.Parse(word, System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        return found;
    }

    /// <summary>Sends a signal; false when the process has gone.</summary>
    public static bool Kill(int pid, int signal)
    {
        var result = Syscall.Call(SyscallNumber.Kill, pid, signal);
        if (result == -Errno.ESRCH)
        {
            return false;
        }

        Syscall.Check(result, $"send signal {signal} to process {pid}");
        return true;
    }

    /// <summary>Sends a signal by descriptor, so never to a stranger that got the same id; false when the process has gone.</summary>
    public static bool Kill(FileDescriptor pidfd, int signal)
    {
        var result = Syscall.Call(SyscallNumber.PidfdSendSignal, pidfd.Number, signal);
        if (result == -Errno.ESRCH)
        {
            return false;
        }

        Syscall.Check(result, $"send signal {signal}");
        return true;
    }

    public static void Unshare(CloneFlags flags) =>
        Syscall.Check(Syscall.Call(SyscallNumber.Unshare, (nint)(uint)flags), $"unshare {flags}");

    /// <summary>A duplicate of another process's descriptor; takes the right to trace it.</summary>
    public static FileDescriptor TakeDescriptor(FileDescriptor pidfd, int number) =>
        new((int)Syscall.Check(Syscall.Call(SyscallNumber.PidfdGetfd, pidfd.Number, number), $"take over descriptor {number} of a process"));

    /// <summary>Replaces this process by another program: the same id, the same descriptors but those that close by themselves.</summary>
    /// <exception cref="LinuxException">It can't be executed; nothing has changed then.</exception>
    public static void Execute(string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        using var pathText = new NativeText(path);
        using var argumentStrings = new NativeStrings(arguments);
        using var environmentStrings = new NativeStrings(environment);

        // SAFETY: the kernel copies all three before it ends this program, and leaves them alone when it fails.
        Syscall.Check(
            Syscall.Call(SyscallNumber.Execve, pathText.Address, (nint)argumentStrings.Address, (nint)environmentStrings.Address),
            $"execute {path}");
    }

    /// <summary>The same by descriptor, so that no path is looked up.</summary>
    /// <exception cref="LinuxException">It can't be executed; nothing has changed then.</exception>
    public static void Execute(FileDescriptor program, IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        using var here = new NativeText("");
        using var argumentStrings = new NativeStrings(arguments);
        using var environmentStrings = new NativeStrings(environment);

        // SAFETY: as above.
        Syscall.Check(
            Syscall.Call(SyscallNumber.Execveat, program.Number, here.Address, (nint)argumentStrings.Address, (nint)environmentStrings.Address, EmptyPath),
            "execute an open file");
    }

    /// <summary>This process's effective user and group.</summary>
    public static (uint Uid, uint Gid) EffectiveIds =>
        ((uint)Syscall.Call(SyscallNumber.Geteuid), (uint)Syscall.Call(SyscallNumber.Getegid));

    public static void StartSession() => Syscall.Check(Syscall.Call(SyscallNumber.Setsid), "start a session");

    /// <summary>The signal this process gets when the thread that made it ends. Forgotten whenever credentials change.</summary>
    public static void SetParentDeathSignal(int signal) =>
        Syscall.Check(Syscall.Call(SyscallNumber.Prctl, PrSetPdeathsig, signal), "set the parent-death signal");

    /// <summary>
    /// Whether others of the same user may read this process's memory and follow its /proc links.
    /// Executing a program turns it on again.
    /// </summary>
    public static void SetDumpable(bool dumpable) =>
        Syscall.Check(Syscall.Call(SyscallNumber.Prctl, PrSetDumpable, dumpable ? 1 : 0), "set the dumpable attribute");

    /// <inheritdoc cref="SetDumpable"/>
    public static bool IsDumpable => Syscall.Call(SyscallNumber.Prctl, PrGetDumpable) == 1;

    /// <summary>Orphaned descendants become this process's children.</summary>
    public static void BecomeSubreaper() =>
        Syscall.Check(Syscall.Call(SyscallNumber.Prctl, PrSetChildSubreaper, 1), "become a subreaper");

    /// <summary>
    /// Whatever the calling thread executes from now on, and what it makes, gains no privileges by it (set-user-ID, file
    /// capabilities); for good.
    /// </summary>
    public static void SetNoNewPrivileges() =>
        Syscall.Check(Syscall.Call(SyscallNumber.Prctl, PrSetNoNewPrivs, 1), "set no_new_privs");

    /// <summary>The short name tools show (comm); cut at 15 bytes.</summary>
    public static void SetName(string name)
    {
        using var text = new NativeText(name);
        Syscall.Call(SyscallNumber.Prctl, PrSetName, text.Address);
    }

    /// <exception cref="LinuxException">EPERM where the hard limit is raised without CAP_SYS_RESOURCE.</exception>
    public static void SetResourceLimit(int resource, ulong soft, ulong hard)
    {
        var limits = stackalloc ulong[] { soft, hard };
        Syscall.Check(Syscall.Call(SyscallNumber.Prlimit64, 0, resource, (nint)limits), $"set resource limit {resource} to {soft}:{hard}");
    }

    public static (ulong Soft, ulong Hard) GetResourceLimit(int resource)
    {
        var limits = stackalloc ulong[2];
        Syscall.Check(Syscall.Call(SyscallNumber.Prlimit64, 0, resource, 0, (nint)limits), $"read resource limit {resource}");
        return (limits[0], limits[1]);
    }

    /// <summary>Sets a limit of another process; minus errno on failure.</summary>
    public static int TrySetResourceLimit(int pid, int resource, ulong soft, ulong hard)
    {
        var limits = stackalloc ulong[] { soft, hard };
        return (int)Syscall.Call(SyscallNumber.Prlimit64, pid, resource, (nint)limits);
    }

    /// <summary>Makes the calling thread's root and working directory its own, which entering a mount namespace asks for; then enters it.</summary>
    public static void EnterMountNamespace(FileDescriptor mountNamespace, string path)
    {
        Syscall.Check(Syscall.Call(SyscallNumber.Unshare, OwnFileSystemState), "give the thread a root of its own");
        Syscall.Check(Syscall.Call(SyscallNumber.Setns, mountNamespace.Number, (nint)(uint)CloneFlags.NewMount), $"join the mount namespace {path}");
    }

    public static void SetHostname(string name)
    {
        using var text = new NativeText(name);
        Syscall.Check(Syscall.Call(SyscallNumber.Sethostname, text.Address, System.Text.Encoding.UTF8.GetByteCount(name)), $"set host name {name}");
    }

    public static void SetDomainname(string name)
    {
        using var text = new NativeText(name);
        Syscall.Check(Syscall.Call(SyscallNumber.Setdomainname, text.Address, System.Text.Encoding.UTF8.GetByteCount(name)), $"set domain name {name}");
    }
}
