using System.Runtime.InteropServices;
using System.Text;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Capabilities;
using Wherry.Linux.Files;
using Wherry.Linux.Kernel;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Identity;
using Wherry.Runtime.Seccomp;

namespace Wherry.Runtime.Programs;

/// <summary>A program made ready to be run: owns the native memory behind a <see cref="ProgramPlan"/>.</summary>
public sealed unsafe class PreparedProgram : IDisposable
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private readonly string _name;
    private readonly string _workingDirectory;
    private readonly NativeStrings _candidates;
    private readonly NativeStrings _arguments;
    private readonly NativeStrings _environment;
    private readonly NativeStrings _directory;
    private readonly NativeLimit* _limits;
    private NativeAttributes? _attributes;
    private (string File, string Text)? _appArmorNow;
    private readonly uint* _groups;
    private readonly ProgramPlan* _plan;

    // Also a child with memory of its own tells here how it went.
    private readonly SharedMemory _memory = new();

    /// <param name="process">What to run.</param>
    /// <param name="user">As whom.</param>
    /// <param name="grant">What of the asked-for limits and capabilities the host gives.</param>
    /// <param name="filter">The system calls it may make, which the caller keeps until the program runs; null for all.</param>
    /// <param name="path">The program's file where it is not the first argument that names it; then the environment is taken as it is.</param>
    /// <exception cref="WherryException">No arguments, or a working directory that is not absolute.</exception>
    public PreparedProgram(Process process, ResolvedUser user, HostGrant grant, SyscallFilter? filter, string? path = null)
    {
        if (process.Args.Count == 0 || process.Args[0].Length == 0)
        {
            throw new SandboxStartException("no command specified", 127);
        }

        _name = path ?? process.Args[0];
        _workingDirectory = process.Cwd.Length == 0 ? "/" : process.Cwd;
        if (_workingDirectory[0] != '/')
        {
            throw WherryException.Invalid($"working directory \"{_workingDirectory}\": must be an absolute path");
        }

        var environment = ProgramEnvironment.Of(process.Env, path is null ? user.Home : null);
        _candidates = new NativeStrings(path is null ? Candidates(_name, environment) : [path]);
        _arguments = new NativeStrings(process.Args);
        _environment = new NativeStrings(environment);
        _directory = new NativeStrings([_workingDirectory]);
        _limits = (NativeLimit*)NativeMemory.AllocZeroed((nuint)grant.Limits.Count + 1, (nuint)sizeof(NativeLimit));
        for (var i = 0; i < grant.Limits.Count; i++)
        {
            _limits[i] = grant.Limits[i];
        }

        _groups = (uint*)NativeMemory.AllocZeroed((nuint)user.Groups.Count + 1, sizeof(uint));
        for (var i = 0; i < user.Groups.Count; i++)
        {
            _groups[i] = user.Groups[i];
        }

        fixed (ProgramPlan* plan = &_memory.As<ProgramPlan>())
        {
            _plan = plan;
        }

        *_plan = new ProgramPlan
        {
            Stdin = -1,
            Stdout = -1,
            Stderr = -1,
            ProcDirectory = -1,
            Limits = _limits,
            LimitCount = grant.Limits.Count,
            WorkingDirectory = _directory.Address[0],
            Capabilities = grant.Capabilities,
            Groups = _groups,
            GroupCount = user.Groups.Count,
            Uid = user.Uid,
            Gid = user.Gid,
            Umask = process.User.Umask is { } umask ? (int)umask : -1,
            NoNewPrivileges = process.NoNewPrivileges,
            Terminal = process.Terminal,
            Filter = filter is null ? null : filter.Program,
            FilterFlags = filter is null ? 0 : filter.KernelFlags,
            UntilExecution = filter is null || process.NoNewPrivileges ? 0 : grant.Held & (1UL << Capability.SysAdmin),
            Listener = -1,
            Candidates = _candidates.Address,
            Arguments = _arguments.Address,
            Environment = _environment.Address,
        };
    }

    /// <summary>The plan, at an address that stays until disposed.</summary>
    public ref ProgramPlan Plan => ref *_plan;

    public ProgramPlan* Address => _plan;

    /// <summary>Looks the program up as executing it will, so that a missing one is known before anything runs.</summary>
    /// <exception cref="SandboxStartException">It isn't there, or can't be executed by anyone.</exception>
    public void RequireExecutable()
    {
        const int executable = 1;
        var denied = false;
        for (var candidate = _candidates.Address; *candidate is not null; candidate++)
        {
            var result = Syscall.Call(SyscallNumber.Faccessat2, FileSyscalls.WorkingDirectory, (nint)(*candidate), executable, 0);
            if (result == 0)
            {
                return;
            }

            denied |= result == -Errno.EACCES;
        }

        _plan->FailedStep = ProgramStep.Execute;
        _plan->Error = denied ? Errno.EACCES : Errno.ENOENT;
        throw Failure();
    }

    /// <summary>Adds what the program asks of the kernel beside rights and limits.</summary>
    /// <param name="attributes">What it asks.</param>
    /// <param name="hostProc">The host's /proc, open until the program is executed; −1 if no label is asked for.</param>
    public void Use(ProgramAttributes attributes, int hostProc)
    {
        if (!attributes.IsEmpty)
        {
            _attributes?.Dispose();
            _attributes = new NativeAttributes(attributes);
            _attributes.AddTo(_plan, hostProc);
            _appArmorNow = attributes.AppArmorNow;
        }
    }

    /// <summary>Puts the calling thread, which executes nothing, under the program's AppArmor profile; nothing where it has none.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void ConfineThisThread()
    {
        if (_appArmorNow is not { } label)
        {
            return;
        }

        var number = FileSyscalls.TryOpen(_plan->ProcDirectory, "thread-self/" + label.File, OpenFlags.WriteOnly, ResolveFlags.Beneath | ResolveFlags.NoCrossMount);
        using var file = new FileDescriptor((int)Syscall.Check(number, $"open {label.File}"));
        Syscall.Check(FileSyscalls.Write(file.Number, Encoding.UTF8.GetBytes(label.Text)), $"write {label.Text} to {label.File}");
    }

    /// <summary>Says what went wrong, in Docker's words where it has any.</summary>
    public WherryException Failure()
    {
        var error = _plan->Error;
        if (_plan->FailedStep != ProgramStep.Execute)
        {
            return new SandboxStartException(_plan->FailedStep switch
            {
                ProgramStep.WorkingDirectory => $"change the working directory to \"{_workingDirectory}\": {Errno.Describe(error)}",
                ProgramStep.WorkingDirectoryOutside => $"working directory \"{_workingDirectory}\" lies outside the container's root",
                ProgramStep.Scheduler => $"process.scheduler: {Errno.Describe(error)}",
                ProgramStep.IoPriority => $"process.ioPriority: {Errno.Describe(error)}",
                ProgramStep.Personality => $"linux.personality: {Errno.Describe(error)}",
                ProgramStep.MemoryPolicy => $"linux.memoryPolicy: {Errno.Describe(error)}",
                ProgramStep.Label => $"process.apparmorProfile or process.selinuxLabel: {Errno.Describe(error)}",
                ProgramStep.Limits => $"set resource limits: {Errno.Describe(error)}",
                ProgramStep.Filter when error is Errno.EACCES => "install the seccomp filter: this takes CAP_SYS_ADMIN, which the runtime lacks here; with noNewPrivileges it can do without",
                ProgramStep.Filter => $"install the seccomp filter: {Errno.Describe(error)}",
                ProgramStep.Listener => $"hand over the seccomp filter's listener: {Errno.Describe(error)}",
                ProgramStep.User => $"become user {_plan->Uid}:{_plan->Gid}: {Errno.Describe(error)}",
                var step => $"prepare the program ({step}): {Errno.Describe(error)}",
            }, _plan->FailedStep == ProgramStep.WorkingDirectory ? 126 : 128);
        }

        return error switch
        {
            Errno.ENOENT or Errno.ENOTDIR when !_name.Contains('/') => new SandboxStartException($"exec: \"{_name}\": executable file not found in $PATH", 127),
            Errno.ENOENT or Errno.ENOTDIR => new SandboxStartException($"exec: \"{_name}\": stat {_name}: no such file or directory", 127),
            Errno.EACCES or Errno.EPERM => new SandboxStartException($"exec: \"{_name}\": permission denied", 126),
            Errno.ENOEXEC => new SandboxStartException($"exec: \"{_name}\": exec format error", 126),
            Errno.EISDIR => new SandboxStartException($"exec: \"{_name}\": is a directory", 126),
            _ => new SandboxStartException($"exec: \"{_name}\": {Errno.Describe(error)}", 126),
        };
    }

    public void Dispose()
    {
        _candidates.Dispose();
        _arguments.Dispose();
        _environment.Dispose();
        _directory.Dispose();
        NativeMemory.Free(_limits);
        NativeMemory.Free(_groups);
        _memory.Dispose();
        _attributes?.Dispose();
    }

    private static List<string> Candidates(string name, IReadOnlyList<string> environment)
    {
        if (name.Contains('/'))
        {
            return [name];
        }

        var path = environment.FirstOrDefault(entry => entry.StartsWith("PATH=", StringComparison.Ordinal))?[5..];
        var candidates = new List<string>();
        foreach (var directory in (path is null or "" ? DefaultPath : path).Split(':'))
        {
            // An empty entry means the working directory to a shell; a container's program is never looked for there.
            if (directory.Length > 0)
            {
                candidates.Add($"{directory}/{name}");
            }
        }

        return candidates;
    }
}
