using System.Runtime.InteropServices;

namespace Wherry.Runtime.Seccomp;

/// <summary>One instruction of classic BPF, as the kernel takes it (struct sock_filter of linux/filter.h).</summary>
/// <param name="Code">Operation.</param>
/// <param name="IfTrue">Instructions to pass over when a comparison holds.</param>
/// <param name="IfFalse">When not.</param>
/// <param name="Operand">A constant, an offset into the filter's data, or how far to jump.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct BpfInstruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand)
{
    public const ushort Load = 0x20;
    public const ushort And = 0x54;
    public const ushort Jump = 0x05;
    public const ushort JumpIfEqual = 0x15;
    public const ushort JumpIfGreater = 0x25;
    public const ushort JumpIfGreaterOrEqual = 0x35;
    public const ushort Return = 0x06;

    /// <summary>The kernel takes no longer program (BPF_MAXINSNS).</summary>
    public const int LongestProgram = 4096;

    /// <summary>Where a call's number lies in struct seccomp_data.</summary>
    public const uint NumberOffset = 0;

    public const uint ArchitectureOffset = 4;

    private const uint ArgumentsOffset = 16;

    /// <summary>Where the low half of an argument lies; the high half follows (both architectures are little-endian).</summary>
    public static uint LowOffset(int argument) => ArgumentsOffset + (8 * (uint)argument);

    public static BpfInstruction LoadFrom(uint offset) => new(Load, 0, 0, offset);

    public static BpfInstruction Answer(uint answer) => new(Return, 0, 0, answer);

    public static BpfInstruction Skip(int instructions) => new(Jump, 0, 0, (uint)instructions);
}
