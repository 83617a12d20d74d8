using Wherry.Errors;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Seccomp;

internal enum Comparison
{
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    MaskedEqual,
}

/// <param name="Index">Of the argument, 0 to 5.</param>
/// <param name="Comparison">How.</param>
/// <param name="Value">With what.</param>
/// <param name="Mask">For <see cref="Comparison.MaskedEqual"/>.</param>
internal readonly record struct ArgumentTest(int Index, Comparison Comparison, ulong Value, ulong Mask = 0)
{
    private const int Arguments = 6;

    public static ArgumentTest Parse(SeccompArgument argument, string property)
    {
        if (argument.Index >= Arguments)
        {
            throw WherryException.Invalid($"{property}: a system call has {Arguments} arguments, so there is none with index {argument.Index}");
        }

        var comparison = argument.Op switch
        {
            "SCMP_CMP_NE" => Comparison.NotEqual,
            "SCMP_CMP_LT" => Comparison.Less,
            "SCMP_CMP_LE" => Comparison.LessOrEqual,
            "SCMP_CMP_EQ" => Comparison.Equal,
            "SCMP_CMP_GE" => Comparison.GreaterOrEqual,
            "SCMP_CMP_GT" => Comparison.Greater,
            "SCMP_CMP_MASKED_EQ" => Comparison.MaskedEqual,
            _ => throw WherryException.Invalid($"{property}: unknown comparison \"{argument.Op}\""),
        };
        return comparison == Comparison.MaskedEqual
            ? new ArgumentTest((int)argument.Index, comparison, argument.ValueTwo, argument.Value)
            : new ArgumentTest((int)argument.Index, comparison, argument.Value);
    }
}

/// <summary>What to answer when all tests hold.</summary>
internal sealed record ConditionalAnswer(uint Answer, IReadOnlyList<ArgumentTest> Tests);

/// <summary>
/// All that was said of one system call. An unconditional answer overrules conditional ones, as in libseccomp,
/// on which the meaning of runtime-spec's rules rests.
/// </summary>
/// <param name="Number">The call's.</param>
/// <param name="Unconditional">The first answer without tests.</param>
/// <param name="Conditional">In the order they are tried.</param>
internal readonly record struct SyscallRules(uint Number, uint? Unconditional, IReadOnlyList<ConditionalAnswer> Conditional);
