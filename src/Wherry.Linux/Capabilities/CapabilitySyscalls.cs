using Wherry.Linux.Kernel;

namespace Wherry.Linux.Capabilities;

/// <summary>
/// The calling thread's capabilities. The methods named <c>Try…</c> neither throw nor allocate: they are for
/// <see cref="Processes.VforkChild"/> as well.
/// </summary>
public static unsafe class CapabilitySyscalls
{
    private const uint Version3 = 0x20080522;
    private const int PrCapbsetRead = 23;
    private const int PrCapbsetDrop = 24;
    private const int PrSetKeepcaps = 8;
    private const int PrCapAmbient = 47;
    private const int AmbientRaise = 2;
    private const int AmbientClearAll = 4;

    /// <summary>Effective, permitted and inheritable sets of the calling thread.</summary>
    public static CapabilitySets Read()
    {
        var header = stackalloc uint[] { Version3, 0 };
        var data = stackalloc uint[6];
        Syscall.Check(Syscall.Call(SyscallNumber.Capget, (nint)header, (nint)data), "read capabilities");
        return new CapabilitySets(
            data[0] | ((ulong)data[3] << 32), data[1] | ((ulong)data[4] << 32), data[2] | ((ulong)data[5] << 32), ReadBounding(), 0);
    }

    /// <summary>The calling thread has CAP_SYS_ADMIN over the user namespace it is in.</summary>
    public static bool MaySysAdmin => (Read().Effective & (1UL << Capability.SysAdmin)) != 0;

    /// <summary>All that this kernel knows, which is what one has in a user namespace that one enters.</summary>
    public static ulong ReadAll()
    {
        var number = 0;
        while (number < 64 && Syscall.Call(SyscallNumber.Prctl, PrCapbsetRead, number) >= 0)
        {
            number++;
        }

        return number == 64 ? ulong.MaxValue : (1UL << number) - 1;
    }

    /// <summary>Drops from the bounding set whatever is not in it; minus errno on failure.</summary>
    public static int TryLimitBounding(ulong keep)
    {
        for (var number = 0; number < 64; number++)
        {
            // EINVAL: beyond the kernel's last capability.
            var present = Syscall.Call(SyscallNumber.Prctl, PrCapbsetRead, number);
            if (present == -Errno.EINVAL)
            {
                break;
            }

            if (present == 1 && (keep & (1UL << number)) == 0)
            {
                var dropped = Syscall.Call(SyscallNumber.Prctl, PrCapbsetDrop, number);
                if (dropped < 0)
                {
                    return (int)dropped;
                }
            }
        }

        return 0;
    }

    /// <summary>Keeps the permitted set over a change from root to another user; minus errno on failure.</summary>
    public static int TryKeepOverUserChange(bool keep) => (int)Syscall.Call(SyscallNumber.Prctl, PrSetKeepcaps, keep ? 1 : 0);

    /// <summary>Sets the effective, permitted, inheritable and ambient sets; minus errno on failure.</summary>
    public static int TryApply(in CapabilitySets sets)
    {
        var header = stackalloc uint[] { Version3, 0 };
        var data = stackalloc uint[]
        {
            (uint)sets.Effective, (uint)sets.Permitted, (uint)sets.Inheritable,
            (uint)(sets.Effective >> 32), (uint)(sets.Permitted >> 32), (uint)(sets.Inheritable >> 32),
        };
        var result = Syscall.Call(SyscallNumber.Capset, (nint)header, (nint)data);
        if (result < 0)
        {
            return (int)result;
        }

        Syscall.Call(SyscallNumber.Prctl, PrCapAmbient, AmbientClearAll);
        for (var number = 0; number < 64; number++)
        {
            if ((sets.Ambient & (1UL << number)) != 0)
            {
                result = Syscall.Call(SyscallNumber.Prctl, PrCapAmbient, AmbientRaise, number);
                if (result < 0)
                {
                    return (int)result;
                }
            }
        }

        return 0;
    }

    private static ulong ReadBounding()
    {
        var set = 0UL;
        for (var number = 0; number < 64; number++)
        {
            var present = Syscall.Call(SyscallNumber.Prctl, PrCapbsetRead, number);
            if (present < 0)
            {
                break;
            }

            set |= (ulong)present << number;
        }

        return set;
    }
}
