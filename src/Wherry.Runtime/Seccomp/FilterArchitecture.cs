using System.Runtime.InteropServices;
using Wherry.Errors;

namespace Wherry.Runtime.Seccomp;

/// <summary>A way to enter the kernel that a filter tells apart.</summary>
/// <param name="Audit">What the kernel calls it in a filter's data (AUDIT_ARCH_… of audit.h).</param>
/// <param name="Column">Its column in <see cref="SyscallTable"/>.</param>
/// <param name="NumberBase">Set in all its numbers: x32 shares x86-64's architecture and has a bit of its own.</param>
/// <param name="IsWide">Arguments are compared in 64 bits rather than 32.</param>
/// <param name="HasMultiplexers">Socket and System V IPC calls also exist as sub-calls of <c>socketcall</c> and <c>ipc</c>.</param>
internal sealed record FilterArchitecture(uint Audit, int Column, uint NumberBase, bool IsWide, bool HasMultiplexers = false)
{
    public const uint X32Bit = 0x4000_0000;

    public static readonly FilterArchitecture X64 = new(0xc000003e, 0, 0, IsWide: true);
    public static readonly FilterArchitecture X86 = new(0x40000003, 1, 0, IsWide: false, HasMultiplexers: true);
    public static readonly FilterArchitecture X32 = new(0xc000003e, 2, X32Bit, IsWide: false);
    public static readonly FilterArchitecture Arm64 = new(0xc00000b7, 3, 0, IsWide: true);

    /// <summary>runtime-spec's other names: no program for them can run on a machine we run on, so rules for them are never asked.</summary>
    private static readonly string[] Foreign =
    [
        "SCMP_ARCH_ARM", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
        "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X",
        "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
    ];

    public static FilterArchitecture Native => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => X64,
        Architecture.Arm64 => Arm64,
        var other => throw WherryException.Unsupported($"linux.seccomp: no system call table for {other}"),
    };

    /// <summary>The machine's own architecture first, then those of the others asked for that it can run.</summary>
    /// <param name="names">runtime-spec's.</param>
    /// <param name="native">The machine's.</param>
    /// <exception cref="WherryException">InvalidParameter: a name that runtime-spec does not have.</exception>
    public static IReadOnlyList<FilterArchitecture> Choose(IReadOnlyList<string>? names, FilterArchitecture native)
    {
        var chosen = new List<FilterArchitecture> { native };
        foreach (var name in names ?? [])
        {
            FilterArchitecture? asked = name switch
            {
                "SCMP_ARCH_NATIVE" => native,
                "SCMP_ARCH_X86_64" => X64,
                "SCMP_ARCH_X86" => X86,
                "SCMP_ARCH_X32" => X32,
                "SCMP_ARCH_AARCH64" => Arm64,
                _ when Foreign.Contains(name) => null,
                _ => throw WherryException.Invalid($"linux.seccomp.architectures: unknown architecture \"{name}\""),
            };
            if (asked is not null && (asked == Arm64) == (native == Arm64) && !chosen.Contains(asked))
            {
                chosen.Add(asked);
            }
        }

        return chosen;
    }
}
