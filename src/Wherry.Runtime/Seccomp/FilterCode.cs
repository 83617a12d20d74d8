namespace Wherry.Runtime.Seccomp;

/// <summary>
/// Writes a filter's program. The number of a call is looked for by halving, so that the hundredth call of a
/// profile costs no more than the first: calls in a row with the same answer are one range, and the tree is
/// over the ranges. A call with tests on its arguments has them at its leaf, one alternative after the other.
/// </summary>
internal sealed class FilterCode
{
    private const int FarthestComparison = byte.MaxValue;

    private readonly List<BpfInstruction> _code = [];

    public IReadOnlyList<BpfInstruction> Instructions => _code;

    /// <summary>For each architecture its ranges; what enters the kernel in any other way is answered with <paramref name="otherwise"/>.</summary>
    public void Write(IReadOnlyList<(uint Audit, IReadOnlyList<NumberRange> Ranges)> sections, uint otherwise)
    {
        _code.Add(BpfInstruction.LoadFrom(BpfInstruction.ArchitectureOffset));
        foreach (var (audit, ranges) in sections)
        {
            _code.Add(new BpfInstruction(BpfInstruction.JumpIfEqual, 1, 0, audit));
            var past = _code.Count;
            _code.Add(default);
            _code.Add(BpfInstruction.LoadFrom(BpfInstruction.NumberOffset));
            WriteRanges(ranges, 0, ranges.Count);
            _code[past] = BpfInstruction.Skip(_code.Count - past - 1);
        }

        _code.Add(BpfInstruction.Answer(otherwise));
    }

    private void WriteRanges(IReadOnlyList<NumberRange> ranges, int first, int end)
    {
        if (end - first == 1)
        {
            WriteLeaf(ranges[first]);
            return;
        }

        var middle = first + ((end - first) / 2);
        var branch = _code.Count;
        _code.Add(default);
        WriteRanges(ranges, first, middle);
        var distance = _code.Count - branch - 1;
        if (distance <= FarthestComparison)
        {
            _code[branch] = new BpfInstruction(BpfInstruction.JumpIfGreaterOrEqual, (byte)distance, 0, ranges[middle].Start);
        }
        else
        {
            // Too far for a comparison's eight bits. Jumps are relative, so what moves down by one stays right.
            _code[branch] = new BpfInstruction(BpfInstruction.JumpIfGreaterOrEqual, 0, 1, ranges[middle].Start);
            _code.Insert(branch + 1, BpfInstruction.Skip(distance));
        }

        WriteRanges(ranges, middle, end);
    }

    private void WriteLeaf(NumberRange range)
    {
        foreach (var conditional in range.Conditional)
        {
            var start = _code.Count;
            foreach (var test in conditional.Tests)
            {
                WriteTest(test, range.IsWide);
            }

            _code.Add(BpfInstruction.Answer(conditional.Answer));
            ResolveFailures(start);
        }

        _code.Add(BpfInstruction.Answer(range.Answer));
    }

    // While a test is written its end is not known; these stand for "this test holds" and "the alternative is over".
    private const byte Holds = 254;
    private const byte Fails = 255;

    private void WriteTest(ArgumentTest test, bool isWide)
    {
        var start = _code.Count;
        var (low, high) = ((uint)test.Value, (uint)(test.Value >> 32));
        var (lowMask, highMask) = ((uint)test.Mask, (uint)(test.Mask >> 32));
        var lowOffset = BpfInstruction.LowOffset(test.Index);
        switch (test.Comparison)
        {
            case Comparison.Equal:
                WriteHigh(isWide, lowOffset, new BpfInstruction(BpfInstruction.JumpIfEqual, 0, Fails, high));
                WriteLow(lowOffset, new BpfInstruction(BpfInstruction.JumpIfEqual, 0, Fails, low));
                break;
            case Comparison.NotEqual:
                WriteHigh(isWide, lowOffset, new BpfInstruction(BpfInstruction.JumpIfEqual, 0, Holds, high));
                WriteLow(lowOffset, new BpfInstruction(BpfInstruction.JumpIfEqual, Fails, 0, low));
                break;
            case Comparison.MaskedEqual:
                if (isWide && (highMask | high) != 0)
                {
                    _code.Add(BpfInstruction.LoadFrom(lowOffset + 4));
                    _code.Add(new BpfInstruction(BpfInstruction.And, 0, 0, highMask));
                    _code.Add(new BpfInstruction(BpfInstruction.JumpIfEqual, 0, Fails, high));
                }

                _code.Add(BpfInstruction.LoadFrom(lowOffset));
                _code.Add(new BpfInstruction(BpfInstruction.And, 0, 0, lowMask));
                _code.Add(new BpfInstruction(BpfInstruction.JumpIfEqual, 0, Fails, low));
                break;
            case Comparison.Greater or Comparison.GreaterOrEqual:
                WriteHigh(isWide, lowOffset, new BpfInstruction(BpfInstruction.JumpIfGreater, Holds, 0, high), new BpfInstruction(BpfInstruction.JumpIfEqual, 0, Fails, high));
                WriteLow(lowOffset, new BpfInstruction(OrderOf(test.Comparison), 0, Fails, low));
                break;
            default:
                // Less is not greater-or-equal, less-or-equal is not greater.
                WriteHigh(isWide, lowOffset, new BpfInstruction(BpfInstruction.JumpIfGreater, Fails, 0, high), new BpfInstruction(BpfInstruction.JumpIfEqual, 0, Holds, high));
                WriteLow(lowOffset, new BpfInstruction(OrderOf(test.Comparison), Fails, 0, low));
                break;
        }

        Resolve(start, Holds, _code.Count);
    }

    private static ushort OrderOf(Comparison comparison) =>
        comparison is Comparison.Greater or Comparison.LessOrEqual ? BpfInstruction.JumpIfGreater : BpfInstruction.JumpIfGreaterOrEqual;

    private void WriteHigh(bool isWide, uint lowOffset, params ReadOnlySpan<BpfInstruction> jumps)
    {
        if (isWide)
        {
            WriteLow(lowOffset + 4, jumps);
        }
    }

    private void WriteLow(uint offset, params ReadOnlySpan<BpfInstruction> jumps)
    {
        _code.Add(BpfInstruction.LoadFrom(offset));
        foreach (var jump in jumps)
        {
            _code.Add(jump);
        }
    }

    private void ResolveFailures(int start) => Resolve(start, Fails, _code.Count);

    // An alternative has at most six tests of seven instructions, so no distance in it reaches the placeholders.
    private void Resolve(int start, byte placeholder, int target)
    {
        for (var i = start; i < _code.Count; i++)
        {
            var distance = (byte)(target - i - 1);
            var instruction = _code[i];
            _code[i] = instruction with
            {
                IfTrue = instruction.IfTrue == placeholder ? distance : instruction.IfTrue,
                IfFalse = instruction.IfFalse == placeholder ? distance : instruction.IfFalse,
            };
        }
    }
}

/// <summary>Calls from a number on, up to the next range's.</summary>
/// <param name="Start">The first.</param>
/// <param name="Answer">When no alternative holds.</param>
/// <param name="Conditional">Alternatives, for a range of one call.</param>
/// <param name="IsWide">Their arguments have 64 bits.</param>
internal sealed record NumberRange(uint Start, uint Answer, IReadOnlyList<ConditionalAnswer> Conditional, bool IsWide);
