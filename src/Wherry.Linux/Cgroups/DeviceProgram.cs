using Wherry.Linux.Files;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Cgroups;

/// <summary>Kinds of device, by BPF's numbers.</summary>
public enum DeviceKind
{
    Any = 0,
    Block = 1,
    Character = 2,
}

/// <summary>What may be done with a device, by BPF's numbers.</summary>
[Flags]
public enum DeviceAccess
{
    None = 0,
    MakeNode = 1,
    Read = 2,
    Write = 4,
    All = 7,
}

/// <summary>One rule of a device filter. Null numbers match any device.</summary>
public sealed record DeviceMatch(bool Allow, DeviceKind Kind, uint? Major, uint? Minor, DeviceAccess Access);

/// <summary>
/// Cgroup v2's way to limit devices: a BPF program asked at each access (BPF_PROG_TYPE_CGROUP_DEVICE).
/// </summary>
public static unsafe class DeviceProgram
{
    private const int LoadProgram = 5;
    private const int AttachProgram = 8;
    private const uint TypeCgroupDevice = 15;
    private const uint AttachCgroupDevice = 6;
    private const uint AllowMulti = 2;
    private const int AttributeSize = 128;

    // Registers: 1 context, 2 type, 3 access, 4 major, 5 minor, 0 verdict, 6 scratch.
    private const byte LoadWord = 0x61;
    private const byte AndConstant = 0x54;
    private const byte ShiftRight = 0x74;
    private const byte MoveRegister = 0xbc;
    private const byte MoveConstant = 0xb7;
    private const byte JumpEqual = 0x15;
    private const byte JumpNotEqual = 0x55;
    private const byte JumpNotEqualRegister = 0x5d;
    private const byte Exit = 0x95;

    /// <summary>Loads the program and attaches it; the cgroup keeps it alive.</summary>
    /// <param name="cgroup">A v2 cgroup's directory.</param>
    /// <param name="rules">The first that matches decides; none denies.</param>
    /// <exception cref="LinuxException">The kernel has no device filters, or refused this one.</exception>
    public static void Attach(string cgroup, IReadOnlyList<DeviceMatch> rules)
    {
        using var program = Load(Assemble(rules));
        using var directory = FileSyscalls.Open(cgroup, OpenFlags.ReadOnly | OpenFlags.Directory);
        var attributes = stackalloc uint[AttributeSize / 4];
        new Span<uint>(attributes, AttributeSize / 4).Clear();
        attributes[0] = (uint)directory.Number;
        attributes[1] = (uint)program.Number;
        attributes[2] = AttachCgroupDevice;
        attributes[3] = AllowMulti;
        Syscall.Check(Syscall.Call(SyscallNumber.Bpf, AttachProgram, (nint)attributes, AttributeSize), $"attach the device filter to {cgroup}");
    }

    /// <summary>The program's instructions.</summary>
    public static ulong[] Assemble(IReadOnlyList<DeviceMatch> rules)
    {
        // struct bpf_cgroup_dev_ctx { u32 access_type (access << 16 | type); u32 major; u32 minor; }
        var code = new List<ulong>
        {
            Instruction(LoadWord, 2, 1, 0, 0),
            Instruction(AndConstant, 2, 0, 0, 0xffff),
            Instruction(LoadWord, 3, 1, 0, 0),
            Instruction(ShiftRight, 3, 0, 0, 16),
            Instruction(LoadWord, 4, 1, 4, 0),
            Instruction(LoadWord, 5, 1, 8, 0),
        };
        foreach (var rule in rules)
        {
            if (!Append(code, rule))
            {
                // It matches everything; the kernel refuses programs with instructions that are never reached.
                return [.. code];
            }
        }

        code.Add(Instruction(MoveConstant, 0, 0, 0, 0));
        code.Add(Instruction(Exit, 0, 0, 0, 0));
        return [.. code];
    }

    private static bool Append(List<ulong> code, DeviceMatch rule)
    {
        var tests = new List<Func<short, ulong>>();
        var prologue = new List<ulong>();
        if (rule.Kind != DeviceKind.Any)
        {
            tests.Add(skip => Instruction(JumpNotEqual, 2, 0, skip, (int)rule.Kind));
        }

        if (rule.Major is { } major)
        {
            tests.Add(skip => Instruction(JumpNotEqual, 4, 0, skip, (int)major));
        }

        if (rule.Minor is { } minor)
        {
            tests.Add(skip => Instruction(JumpNotEqual, 5, 0, skip, (int)minor));
        }

        if (rule.Access != DeviceAccess.All)
        {
            if (rule.Allow)
            {
                // Allowed when nothing outside the rule's access is asked for.
                prologue.Add(Instruction(MoveRegister, 6, 3, 0, 0));
                prologue.Add(Instruction(AndConstant, 6, 0, 0, (int)rule.Access));
                tests.Add(skip => Instruction(JumpNotEqualRegister, 6, 3, skip, 0));
            }
            else
            {
                // Denied when anything inside it is asked for: skip if the common part is nothing.
                prologue.Add(Instruction(MoveRegister, 6, 3, 0, 0));
                prologue.Add(Instruction(AndConstant, 6, 0, 0, (int)rule.Access));
                tests.Add(skip => Instruction(JumpEqual, 6, 0, skip, 0));
            }
        }

        code.AddRange(prologue);
        for (var i = 0; i < tests.Count; i++)
        {
            // Over the remaining tests and the two instructions of the verdict.
            code.Add(tests[i]((short)(tests.Count - i - 1 + 2)));
        }

        code.Add(Instruction(MoveConstant, 0, 0, 0, rule.Allow ? 1 : 0));
        code.Add(Instruction(Exit, 0, 0, 0, 0));
        return tests.Count > 0;
    }

    private static ulong Instruction(byte code, int destination, int source, short offset, int constant) =>
        code | ((ulong)(byte)(destination | (source << 4)) << 8) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)constant << 32);

    private static FileDescriptor Load(ulong[] code)
    {
        using var licence = new NativeText("Apache-2.0");
        var attributes = stackalloc ulong[AttributeSize / 8];
        new Span<ulong>(attributes, AttributeSize / 8).Clear();
        fixed (ulong* instructions = code)
        {
            attributes[0] = TypeCgroupDevice | ((ulong)(uint)code.Length << 32);
            attributes[1] = (ulong)instructions;
            attributes[2] = (ulong)licence.Address;
            return new((int)Syscall.Check(Syscall.Call(SyscallNumber.Bpf, LoadProgram, (nint)attributes, AttributeSize), "load the device filter"));
        }
    }
}
