using Wherry.Runtime.Seccomp;

namespace Wherry.Runtime.Tests.Seccomp;

/// <summary>Runs a filter as the kernel would (Documentation/networking/filter.rst), and checks it as the kernel does before it takes one.</summary>
internal static class BpfMachine
{
    public static uint Run(IReadOnlyList<BpfInstruction> program, uint architecture, uint number, ReadOnlySpan<ulong> arguments)
    {
        var accumulator = 0u;
        for (var at = 0; ; at++)
        {
            var (code, ifTrue, ifFalse, operand) = program[at];
            switch (code)
            {
                case BpfInstruction.Load:
                    accumulator = operand switch
                    {
                        0 => number,
                        4 => architecture,
                        >= 16 and < 64 when operand % 4 == 0 => (uint)(arguments[(int)(operand - 16) / 8] >> (operand % 8 == 0 ? 0 : 32)),
                        _ => throw new InvalidOperationException($"load from {operand}"),
                    };
                    break;
                case BpfInstruction.And:
                    accumulator &= operand;
                    break;
                case BpfInstruction.Jump:
                    at += (int)operand;
                    break;
                case BpfInstruction.JumpIfEqual:
                    at += accumulator == operand ? ifTrue : ifFalse;
                    break;
                case BpfInstruction.JumpIfGreater:
                    at += accumulator > operand ? ifTrue : ifFalse;
                    break;
                case BpfInstruction.JumpIfGreaterOrEqual:
                    at += accumulator >= operand ? ifTrue : ifFalse;
                    break;
                case 0x45:
                    at += (accumulator & operand) != 0 ? ifTrue : ifFalse;
                    break;
                case BpfInstruction.Return:
                    return operand;
                default:
                    throw new InvalidOperationException($"code 0x{code:x}");
            }
        }
    }

    /// <summary>Every jump stays inside, and every path ends in a return.</summary>
    public static void Check(IReadOnlyList<BpfInstruction> program)
    {
        Assert.InRange(program.Count, 1, BpfInstruction.LongestProgram);
        for (var at = 0; at < program.Count; at++)
        {
            var instruction = program[at];
            var farthest = instruction.Code switch
            {
                BpfInstruction.Return => 0,
                BpfInstruction.Jump => 1 + (int)instruction.Operand,
                _ => 1 + Math.Max(instruction.IfTrue, instruction.IfFalse),
            };
            Assert.InRange(at + farthest, 0, program.Count - 1);
        }
    }
}
