using System.Runtime.InteropServices;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Kernel;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Seccomp;

/// <summary>A container's system call filter in native memory, where a vfork child and the kernel find it. Owned by whoever prepared it.</summary>
public sealed unsafe class SyscallFilter : IDisposable
{
    private readonly byte* _memory;

    private SyscallFilter(CompiledFilter filter, FilterFlag flags)
    {
        var code = MemoryMarshal.AsBytes<BpfInstruction>(filter.Instructions);

        // SAFETY: struct sock_fprog {unsigned short len; struct sock_filter *filter;}, and the instructions behind it.
        _memory = (byte*)NativeMemory.AllocZeroed((nuint)(sizeof(Fprog) + code.Length));
        *(Fprog*)_memory = new Fprog { Length = (ushort)filter.Instructions.Length, Code = _memory + sizeof(Fprog) };
        code.CopyTo(new Span<byte>(_memory + sizeof(Fprog), code.Length));
        KernelFlags = (uint)flags;
        NeedsListener = filter.NeedsListener;
    }

    /// <summary>As seccomp(2) takes it, valid until disposed.</summary>
    public void* Program => _memory;

    public uint KernelFlags { get; }

    /// <summary>Its listener is to be sent to the bundle's <c>listenerPath</c>.</summary>
    public bool NeedsListener { get; }

    /// <summary>Compiles a bundle's rules, or takes them from the cache.</summary>
    /// <param name="config">Null for no filter.</param>
    /// <param name="cacheFile">Named after the rules by whoever wrote them; null without a cache.</param>
    /// <param name="cached">That file, opened by someone with the right to; it is not written then. Null opens it here.</param>
    /// <returns>Null when everything is allowed.</returns>
    /// <exception cref="WherryException">InvalidParameter: the rules are not as they must be; Unsupported: the kernel can't do what they need.</exception>
    public static SyscallFilter? Prepare(SeccompConfig? config, string? cacheFile, FileDescriptor? cached = null)
    {
        if (config is null)
        {
            return null;
        }

        var found = cached is not null ? FilterCache.TryRead(cached) : cacheFile is not null ? FilterCache.TryRead(cacheFile) : null;
        if (found is not null)
        {
            return new SyscallFilter(found, found.Flags);
        }

        var compiled = FilterCompiler.Compile(config);
        var flags = FilterKernel.Require(compiled);
        if (cacheFile is not null && cached is null)
        {
            FilterCache.TryWrite(cacheFile, compiled with { Flags = flags }, Path.GetRandomFileName());
        }

        return new SyscallFilter(compiled, flags);
    }

    /// <summary>
    /// The filter for our own first process under <c>--init</c>: the same rules, and what passing on signals and
    /// reaping takes. Null when everything is allowed.
    /// </summary>
    public static SyscallFilter? PrepareForInit(SeccompConfig? config)
    {
        if (config is null)
        {
            return null;
        }

        var compiled = FilterCompiler.Compile(config, FilterArchitecture.Native, InitCalls);
        return new SyscallFilter(compiled, FilterKernel.Require(compiled) & ~(FilterFlag.NewListener | FilterFlag.WaitKillable));
    }

    /// <summary>Compiles rules before anything is made, and finds what would keep the filter from being installed.</summary>
    /// <returns>What a cache's file is to hold; null when everything is allowed.</returns>
    /// <exception cref="WherryException">As <see cref="Prepare"/>.</exception>
    public static byte[]? Compile(SeccompConfig? config)
    {
        if (config is null)
        {
            return null;
        }

        var compiled = FilterCompiler.Compile(config);
        return (compiled with { Flags = FilterKernel.Require(compiled) }).ToBytes();
    }

    /// <summary>Installs it on the calling thread, for ever.</summary>
    public void InstallOnThisThread() =>
        Syscall.Check(Syscall.Call(SyscallNumber.Seccomp, 1, (nint)KernelFlags, (nint)_memory), "install the seccomp filter");

    public void Dispose() => NativeMemory.Free(_memory);

    /// <summary>What <see cref="Stages.InitStage"/> and the runtime under it do from the moment they have their filter.</summary>
    private static readonly string[] InitCalls =
    [
        // Shedding privileges, which comes after: no filter can be installed without them.
        "prlimit64", "chdir", "getcwd", "prctl", "setgroups", "setresgid", "setresuid", "capget", "capset", "umask",

        // Signals and children.
        "rt_sigtimedwait", "rt_sigprocmask", "rt_sigaction", "rt_sigreturn", "wait4", "kill", "tgkill", "getpid", "gettid",

        // The collector and the threads it stops.
        "futex", "mmap", "munmap", "mprotect", "madvise", "mremap", "brk", "membarrier", "sched_yield", "clock_gettime",
        "clock_nanosleep", "nanosleep", "restart_syscall", "sched_getaffinity", "getcpu", "sysinfo",

        // Its AppArmor profile, closing what is open, the process's name, a failure's words.
        "openat2", "close", "close_range", "write", "sendmsg", "exit", "exit_group",
    ];

    private struct Fprog
    {
        public ushort Length;
        public byte* Code;
    }
}
