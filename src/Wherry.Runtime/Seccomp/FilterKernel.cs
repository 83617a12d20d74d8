using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Kernel;

namespace Wherry.Runtime.Seccomp;

/// <summary>What the running kernel can do of what a filter needs (seccomp(2)).</summary>
internal static unsafe class FilterKernel
{
    private const int SetModeFilter = 1;
    private const int GetActionAvailable = 2;

    private static readonly (FilterFlag Flag, string Name)[] Flags =
    [
        (FilterFlag.Log, "SECCOMP_FILTER_FLAG_LOG"),
        (FilterFlag.SpeculationAllowed, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"),
        (FilterFlag.NewListener, "SECCOMP_FILTER_FLAG_NEW_LISTENER"),
        (FilterFlag.WaitKillable, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"),
    ];

    /// <summary>The flags to install a filter with, on this kernel.</summary>
    /// <exception cref="WherryException">Unsupported: the kernel lacks filters, an action or a flag.</exception>
    public static FilterFlag Require(CompiledFilter filter)
    {
        if (!Has(FilterFlag.None))
        {
            throw WherryException.Unsupported("linux.seccomp: this kernel has no system call filters (CONFIG_SECCOMP_FILTER)");
        }

        foreach (var kind in filter.Kinds)
        {
            if (!HasAction(kind))
            {
                throw WherryException.Unsupported($"linux.seccomp: this kernel does not have the action {FilterAction.KernelName(kind)}");
            }
        }

        foreach (var (flag, name) in Flags)
        {
            if ((filter.Flags & flag) != 0 && !Has(flag | (flag == FilterFlag.WaitKillable ? FilterFlag.NewListener : FilterFlag.None)))
            {
                throw WherryException.Unsupported($"linux.seccomp.flags: this kernel does not have {name}");
            }
        }

        return (filter.Flags & FilterFlag.PreferSpeculationAllowed) == 0
            ? filter.Flags
            : (filter.Flags & ~FilterFlag.PreferSpeculationAllowed) | (Has(FilterFlag.SpeculationAllowed) ? FilterFlag.SpeculationAllowed : FilterFlag.None);
    }

    /// <summary>Actions this kernel has, by runtime-spec's names.</summary>
    public static bool HasAction(uint kind) => Syscall.Call(SyscallNumber.Seccomp, GetActionAvailable, 0, (nint)(&kind)) == 0;

    // Flags are looked at before the program is, so without one a kernel that has the flag finds a bad address.
    private static bool Has(FilterFlag flags) => Syscall.Call(SyscallNumber.Seccomp, SetModeFilter, (nint)(uint)flags) == -Errno.EFAULT;
}
