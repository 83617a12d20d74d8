namespace Wherry.Oci.Runtime;

/// <summary>Which system calls a program may make (config-linux.md, "Seccomp").</summary>
public sealed record SeccompConfig
{
    /// <summary>By name such as <c>SCMP_ACT_ERRNO</c>; for calls no rule is about.</summary>
    public string DefaultAction { get; init; } = "";

    public uint? DefaultErrnoRet { get; init; }

    /// <summary>By name such as <c>SCMP_ARCH_X86_64</c>; the machine's own is always meant too.</summary>
    public IReadOnlyList<string>? Architectures { get; init; }

    /// <summary>By name such as <c>SECCOMP_FILTER_FLAG_LOG</c>. Null leaves the choice to the runtime, an empty list is none.</summary>
    public IReadOnlyList<string>? Flags { get; init; }

    /// <summary>A unix socket to which the descriptor of <c>SCMP_ACT_NOTIFY</c> is sent.</summary>
    public string? ListenerPath { get; init; }

    /// <summary>Passed on with it as it is.</summary>
    public string? ListenerMetadata { get; init; }

    public IReadOnlyList<SeccompRule>? Syscalls { get; init; }
}

/// <summary>What to do about some system calls.</summary>
public sealed record SeccompRule
{
    public IReadOnlyList<string> Names { get; init; } = [];

    public string Action { get; init; } = "";

    public uint? ErrnoRet { get; init; }

    /// <summary>All must hold. Several about the same argument are alternatives.</summary>
    public IReadOnlyList<SeccompArgument>? Args { get; init; }
}

/// <param name="Index">0 to 5.</param>
/// <param name="Value">What the argument is compared with; the mask for <c>SCMP_CMP_MASKED_EQ</c>.</param>
/// <param name="ValueTwo">What the masked argument is compared with.</param>
/// <param name="Op">By name such as <c>SCMP_CMP_EQ</c>.</param>
public sealed record SeccompArgument(uint Index, ulong Value, ulong ValueTwo, string Op);
