using Wherry.Errors;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Seccomp;

/// <summary>From a bundle's rules to the program the kernel runs at each system call.</summary>
internal static class FilterCompiler
{
    /// <summary>Changes whenever the same rules would give another program, so that cached ones are made anew.</summary>
    public const uint Version = 1;

    /// <exception cref="WherryException">The rules are not as they must be, or too many for the kernel.</exception>
    public static CompiledFilter Compile(SeccompConfig config) => Compile(config, FilterArchitecture.Native, []);

    /// <param name="config">The rules.</param>
    /// <param name="native">The machine's architecture; another one in tests.</param>
    /// <param name="alsoAllowed">Calls that are allowed whatever the rules say: what our own code makes under the filter.</param>
    public static CompiledFilter Compile(SeccompConfig config, FilterArchitecture native, IReadOnlyList<string> alsoAllowed)
    {
        var byDefault = FilterAction.Parse(config.DefaultAction, config.DefaultErrnoRet, "linux.seccomp.defaultAction");
        var rules = FilterArchitecture.Choose(config.Architectures, native).Select(architecture => new ArchitectureRules(architecture)).ToArray();
        var answers = new HashSet<uint> { byDefault };
        foreach (var name in alsoAllowed)
        {
            AddToAll(rules, name, FilterAction.Allow, [[]], isDefault: byDefault == FilterAction.Allow);
        }

        foreach (var rule in config.Syscalls ?? [])
        {
            var answer = FilterAction.Parse(rule.Action, rule.ErrnoRet, "linux.seccomp.syscalls");
            answers.Add(answer);
            var alternatives = AlternativesOf(rule);
            foreach (var name in rule.Names)
            {
                AddToAll(rules, name, answer, alternatives, isDefault: answer == byDefault);
            }
        }

        var code = new FilterCode();
        code.Write([.. rules.GroupBy(each => each.Architecture.Audit).Select(group => (group.Key, Ranges([.. group], byDefault)))], FilterAction.KillThread);
        if (code.Instructions.Count > BpfInstruction.LongestProgram)
        {
            throw WherryException.Invalid(
                $"linux.seccomp: the rules take {code.Instructions.Count} instructions, and the kernel takes {BpfInstruction.LongestProgram}: name fewer calls with tests on their arguments");
        }

        var kinds = answers.Select(FilterAction.KindOf).ToHashSet();
        return new CompiledFilter([.. code.Instructions], FilterFlags.Parse(config, kinds), [.. kinds]);
    }

    private static void AddToAll(
        ArchitectureRules[] rules, string name, uint answer, IReadOnlyList<IReadOnlyList<ArgumentTest>> alternatives, bool isDefault)
    {
        var call = SyscallTable.Find(name);
        foreach (var each in rules)
        {
            each.Add(name, call, answer, alternatives, isDefault);
        }
    }

    // Tests on different arguments must all hold; as soon as two are about the same one, each is an alternative of its own.
    private static IReadOnlyList<IReadOnlyList<ArgumentTest>> AlternativesOf(Oci.Runtime.SeccompRule rule)
    {
        var tests = (rule.Args ?? []).Select(argument => ArgumentTest.Parse(argument, "linux.seccomp.syscalls.args")).ToArray();
        return tests.DistinctBy(test => test.Index).Count() == tests.Length
            ? [tests]
            : [.. tests.Select(test => (IReadOnlyList<ArgumentTest>)[test])];
    }

    // x32 shares its architecture with x86-64: its calls are a second series of numbers, above the first.
    private static List<NumberRange> Ranges(ArchitectureRules[] series, uint byDefault)
    {
        var ranges = new List<NumberRange>();
        foreach (var rules in series.OrderBy(each => each.Architecture.NumberBase))
        {
            AddSeries(ranges, rules, byDefault);
        }

        if (series[0].Architecture == FilterArchitecture.X64 && series.Length == 1)
        {
            Append(ranges, new NumberRange(FilterArchitecture.X32Bit, FilterAction.KillThread, [], IsWide: false));

            // -1 is a call that a tracer has cancelled.
            Append(ranges, new NumberRange(uint.MaxValue, byDefault, [], IsWide: false));
        }

        return ranges;
    }

    private static void AddSeries(List<NumberRange> ranges, ArchitectureRules rules, uint byDefault)
    {
        var next = rules.Architecture.NumberBase;
        foreach (var (number, unconditional, conditional) in rules.ByNumber())
        {
            if (number > next)
            {
                Append(ranges, new NumberRange(next, byDefault, [], IsWide: false));
            }

            Append(ranges, unconditional is { } answer
                ? new NumberRange(number, answer, [], IsWide: false)
                : new NumberRange(number, byDefault, conditional, rules.Architecture.IsWide));
            next = number + 1;
        }

        if (rules.LastNumber is not { } last || FilterAction.IsPermissive(byDefault) || byDefault == FilterAction.NoSuchCall)
        {
            Append(ranges, new NumberRange(next, byDefault, [], IsWide: false));
            return;
        }

        if (last >= next)
        {
            Append(ranges, new NumberRange(next, byDefault, [], IsWide: false));
        }

        Append(ranges, new NumberRange(Math.Max(last + 1, next), FilterAction.NoSuchCall, [], IsWide: false));
    }

    private static void Append(List<NumberRange> ranges, NumberRange range)
    {
        var same = ranges.Count > 0 && ranges[^1] is { Conditional: [] } previous && range.Conditional is [] && previous.Answer == range.Answer;
        if (!same)
        {
            ranges.Add(range);
        }
    }
}
