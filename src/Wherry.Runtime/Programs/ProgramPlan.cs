using Wherry.Linux.Capabilities;

namespace Wherry.Runtime.Programs;

/// <summary>The steps from a privileged process to the user's program, in order.</summary>
public enum ProgramStep
{
    None,
    Streams,
    Terminal,
    Scheduler,
    IoPriority,
    Personality,
    MemoryPolicy,
    Label,
    Limits,
    WorkingDirectory,
    WorkingDirectoryOutside,
    Bounding,
    Groups,
    User,
    Capabilities,
    NoNewPrivileges,
    Filter,
    Listener,
    Execute,
}

/// <summary>One resource limit, ready for prlimit(2).</summary>
public struct NativeLimit
{
    public int Resource;
    public ulong Soft;
    public ulong Hard;
}

/// <summary>A security module's file below /proc/thread-self, and the label written into it.</summary>
public unsafe struct NativeLabel
{
    public byte* File;
    public byte* Text;
    public int Length;
}

/// <summary>
/// All that <see cref="ProgramEntry"/> needs, in plain memory that a vfork child may read, and its outcome.
/// Descriptors of −1 leave what is there.
/// </summary>
public unsafe struct ProgramPlan
{
    public int Stdin;
    public int Stdout;
    public int Stderr;

    /// <summary>Begin a session of its own.</summary>
    public bool NewSession;

    /// <summary>Descriptor 0 becomes the session's controlling terminal.</summary>
    public bool Terminal;

    /// <summary>Become a process group of its own, and the terminal's foreground one if there is a terminal.</summary>
    public bool OwnGroup;

    /// <summary>Null leaves the scheduler, as does the next the memory policy.</summary>
    public NativeScheduler* Scheduler;
    public ulong* MemoryNodes;
    public int MemoryNodeBits;
    public bool HasMemoryPolicy;
    public int MemoryMode;
    public bool HasIoPriority;
    public int IoPriority;
    public bool HasPersonality;
    public uint Personality;

    /// <summary>The host's /proc, since the container's may be anything.</summary>
    public int ProcDirectory;
    public NativeLabel* Labels;
    public int LabelCount;

    public NativeLimit* Limits;
    public int LimitCount;

    public byte* WorkingDirectory;
    public CapabilitySets Capabilities;
    public uint* Groups;
    public int GroupCount;

    /// <summary>The user namespace forbids changing groups (user_namespaces(7), "setgroups").</summary>
    public bool KeepGroups;
    public uint Uid;
    public uint Gid;

    /// <summary>−1 leaves it.</summary>
    public int Umask;
    public bool NoNewPrivileges;

    /// <summary>The program lives on when the process that made it ends.</summary>
    public bool OutlivesMaker;

    /// <summary>How many descriptors, from 3 on, the program inherits.</summary>
    public int PreservedDescriptors;

    /// <summary>A system call filter (struct sock_fprog), the last thing before the program; null for none.</summary>
    public void* Filter;

    /// <summary>Of seccomp(2).</summary>
    public uint FilterFlags;

    /// <summary>
    /// Capabilities kept besides the program's own until it is executed, which takes them away: installing a filter
    /// needs CAP_SYS_ADMIN where privileges can be gained.
    /// </summary>
    public ulong UntilExecution;

    /// <summary>The descriptor on which the filter announces calls, once it is there; negative before.</summary>
    public int Listener;

    /// <summary>Set by whoever takes the listener over: 1 done, minus errno for failed. Waited for, without a system call.</summary>
    public int ListenerTaken;

    /// <summary>The process that runs this plan, if it was told when it was made.</summary>
    public int ProcessId;

    /// <summary>Paths to try, in order, as a shell does with PATH; null-terminated.</summary>
    public byte** Candidates;
    public byte** Arguments;
    public byte** Environment;

    public ProgramStep FailedStep;
    public int Error;
}
