using Wherry.Errors;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Seccomp;

namespace Wherry.Runtime.Tests.Seccomp;

public sealed class FilterCompilerTests
{
    private const uint Eperm = FilterAction.Errno | 1;

    private static readonly string[] Comparisons =
        ["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"];

    private static readonly FilterArchitecture[] Pc = [FilterArchitecture.X64, FilterArchitecture.X86, FilterArchitecture.X32];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_rules_mean_what_libseccomp_says_they_mean(int seed)
    {
        Assert.SkipWhen(!LibSeccomp.IsPresent, "needs libseccomp2");
        var random = new Random(seed);
        for (var round = 0; round < 40; round++)
        {
            // One rule a call: of several conditional ones, libseccomp 2.5 mixes up the branches now and then.
            var config = RandomConfig(random, rulesPerCall: 1);
            var theirs = LibSeccomp.Compile(config);
            Compare(random, config, (architecture, number, arguments) => BpfMachine.Run(theirs, architecture.Audit, number, arguments));
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void Random_rules_mean_what_their_definition_says(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 40; round++)
        {
            var config = RandomConfig(random, rulesPerCall: 4);
            var tables = Pc.ToDictionary(architecture => architecture, CallNumbers.Of);
            Compare(random, config, (architecture, number, arguments) =>
            {
                foreach (var rule in config.Syscalls!.Where(rule => tables[architecture].TryGetValue(rule.Names[0], out var own) && own == number).OrderBy(rule => rule.Args!.Count > 0))
                {
                    if (rule.Args!.All(test => Holds(test, arguments[test.Index], architecture.IsWide)))
                    {
                        return FilterAction.Parse(rule.Action, rule.ErrnoRet, "");
                    }
                }

                return FilterAction.Parse(config.DefaultAction, config.DefaultErrnoRet, "");
            });
        }
    }

    [Fact]
    public void A_rule_without_tests_overrules_those_with()
    {
        Assert.SkipWhen(!LibSeccomp.IsPresent, "needs libseccomp2");
        SeccompRule[] rules = [Rule("SCMP_ACT_ERRNO", 5, ["getpid"], new SeccompArgument(0, 1, 0, "SCMP_CMP_EQ")), Rule("SCMP_ACT_ALLOW", null, ["getpid"])];
        foreach (var order in (SeccompRule[][])[rules, [rules[1], rules[0]]])
        {
            var config = new SeccompConfig { DefaultAction = "SCMP_ACT_ERRNO", Architectures = ["SCMP_ARCH_X86_64"], Syscalls = order };
            Assert.Equal(FilterAction.Allow, Answer(config, 39, 1));
            Assert.Equal(FilterAction.Allow, BpfMachine.Run(LibSeccomp.Compile(config), FilterArchitecture.X64.Audit, 39, [1, 0, 0, 0, 0, 0]));
        }
    }

    [Fact]
    public void Tests_of_the_same_argument_are_alternatives()
    {
        var config = new SeccompConfig
        {
            DefaultAction = "SCMP_ACT_ERRNO",
            Syscalls = [Rule("SCMP_ACT_ALLOW", null, ["personality"], new(0, 8, 0, "SCMP_CMP_EQ"), new(0, 0x20000, 0, "SCMP_CMP_EQ"))],
        };
        Assert.Equal(FilterAction.Allow, Answer(config, 135, 8));
        Assert.Equal(FilterAction.Allow, Answer(config, 135, 0x20000));
        Assert.Equal(Eperm, Answer(config, 135, 9));
    }

    [Fact]
    public void Calls_newer_than_the_profile_do_not_exist_rather_than_being_forbidden()
    {
        var config = new SeccompConfig { DefaultAction = "SCMP_ACT_ERRNO", Syscalls = [Rule("SCMP_ACT_ALLOW", null, ["read", "openat2"])] };
        Assert.Equal(FilterAction.Allow, Answer(config, 437));
        Assert.Equal(Eperm, Answer(config, 436));
        Assert.Equal(FilterAction.NoSuchCall, Answer(config, 438));
        Assert.Equal(FilterAction.NoSuchCall, Answer(config, 9999));
    }

    [Fact]
    public void A_permissive_default_lets_newer_calls_through()
    {
        var config = new SeccompConfig { DefaultAction = "SCMP_ACT_ALLOW", Syscalls = [Rule("SCMP_ACT_ERRNO", null, ["read"])] };
        Assert.Equal(Eperm, Answer(config, 0));
        Assert.Equal(FilterAction.Allow, Answer(config, 9999));
    }

    [Fact]
    public void Other_ways_into_the_kernel_are_closed_unless_named()
    {
        var config = new SeccompConfig { DefaultAction = "SCMP_ACT_ALLOW", Syscalls = [] };
        var program = FilterCompiler.Compile(config, FilterArchitecture.X64, []).Instructions;
        Assert.Equal(FilterAction.Allow, BpfMachine.Run(program, FilterArchitecture.X64.Audit, 0, new ulong[6]));
        Assert.Equal(FilterAction.KillThread, BpfMachine.Run(program, FilterArchitecture.X86.Audit, 3, new ulong[6]));
        Assert.Equal(FilterAction.KillThread, BpfMachine.Run(program, FilterArchitecture.X64.Audit, FilterArchitecture.X32Bit, new ulong[6]));
        Assert.Equal(FilterAction.KillThread, BpfMachine.Run(program, 0x12345678, 0, new ulong[6]));
    }

    [Fact]
    public void Arm64_has_its_own_numbers()
    {
        var config = new SeccompConfig { DefaultAction = "SCMP_ACT_ERRNO", Architectures = ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_X86_64"], Syscalls = [Rule("SCMP_ACT_ALLOW", null, ["openat", "open", "clone3"])] };
        var program = FilterCompiler.Compile(config, FilterArchitecture.Arm64, []).Instructions;
        Assert.Equal(FilterAction.Allow, BpfMachine.Run(program, FilterArchitecture.Arm64.Audit, 56, new ulong[6]));
        Assert.Equal(Eperm, BpfMachine.Run(program, FilterArchitecture.Arm64.Audit, 2, new ulong[6]));
        Assert.Equal(FilterAction.KillThread, BpfMachine.Run(program, FilterArchitecture.X64.Audit, 2, new ulong[6]));
    }

    [Fact]
    public void A_filter_as_long_as_the_kernel_takes_has_right_jumps_and_a_longer_one_is_refused()
    {
        var names = CallNumbers.Of(FilterArchitecture.X64).OrderBy(entry => entry.Value).Select(entry => entry.Key).ToArray();
        var rules = names.Select((name, index) => Rule("SCMP_ACT_ERRNO", (uint)index + 1, [name], new SeccompArgument(0, (ulong)index, 0, "SCMP_CMP_EQ"), new SeccompArgument(1, 7, 0, "SCMP_CMP_EQ"))).Take(340).ToArray();
        var config = new SeccompConfig { DefaultAction = "SCMP_ACT_ALLOW", Syscalls = rules };
        var program = FilterCompiler.Compile(config, FilterArchitecture.X64, []).Instructions;
        BpfMachine.Check(program);
        Assert.True(program.Length > 3000);
        var numbers = CallNumbers.Of(FilterArchitecture.X64);
        for (var i = 0; i < rules.Length; i++)
        {
            Assert.Equal(FilterAction.Errno | ((uint)i + 1), BpfMachine.Run(program, FilterArchitecture.X64.Audit, numbers[names[i]], [(ulong)i, 7, 0, 0, 0, 0]));
            Assert.Equal(FilterAction.Allow, BpfMachine.Run(program, FilterArchitecture.X64.Audit, numbers[names[i]], [(ulong)i, 8, 0, 0, 0, 0]));
        }

        var failure = Assert.Throws<WherryException>(() => FilterCompiler.Compile(config with { Architectures = ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] }, FilterArchitecture.X64, []));
        Assert.Contains("4096", failure.Message);
    }

    [Fact]
    public void Hundreds_of_rules_take_some_ten_comparisons()
    {
        var names = CallNumbers.Of(FilterArchitecture.X64).OrderBy(entry => entry.Value).Where((_, index) => index % 2 == 0).Select(entry => entry.Key).ToArray();
        var config = new SeccompConfig { DefaultAction = "SCMP_ACT_ERRNO", Syscalls = [Rule("SCMP_ACT_ALLOW", null, names)] };
        var program = FilterCompiler.Compile(config, FilterArchitecture.X64, []).Instructions;
        foreach (var number in CallNumbers.Of(FilterArchitecture.X64).Values)
        {
            Assert.InRange(Steps(program, number), 1, 24);
        }
    }

    [Theory]
    [InlineData("""{"defaultAction":"SCMP_ACT_NO"}""", "defaultAction")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1}""", "error number")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":70000}""", "70000")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_VAX"]}""", "SCMP_ARCH_VAX")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_FAST"]}""", "SECCOMP_FILTER_FLAG_FAST")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}""", "SCMP_ACT_NOTIFY")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_NOTIFY"}]}""", "listenerPath")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]}""", "index 6")]
    [InlineData("""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"op":"SCMP_CMP_IN"}]}]}""", "SCMP_CMP_IN")]
    public void What_is_wrong_is_named(string json, string named)
    {
        var spec = Bundles.Bundle.ParseSpec(System.Text.Encoding.UTF8.GetBytes("{\"linux\":{\"seccomp\":" + json + "}}"));
        var failure = Assert.Throws<WherryException>(() => SyscallFilter.Compile(spec.Linux!.Seccomp));
        Assert.Equal(ErrorKind.InvalidParameter, failure.Kind);
        Assert.Contains(named, failure.Message);
    }

    [Fact]
    public void A_cached_filter_is_the_same_and_a_damaged_one_is_not_used()
    {
        var config = new SeccompConfig { DefaultAction = "SCMP_ACT_ERRNO", Syscalls = [Rule("SCMP_ACT_ALLOW", null, ["read", "write"])] };
        var filter = FilterCompiler.Compile(config, FilterArchitecture.X64, []);
        var bytes = filter.ToBytes();
        Assert.Equal(filter.Instructions, CompiledFilter.TryParse(bytes)!.Instructions);
        Assert.Null(CompiledFilter.TryParse(bytes.AsSpan(0, bytes.Length - 1)));
        Assert.Null(CompiledFilter.TryParse([]));
        bytes[4]++;
        Assert.Null(CompiledFilter.TryParse(bytes));
    }

    private static int Steps(BpfInstruction[] program, uint number)
    {
        var steps = 0;
        BpfMachine.Run(new Counted(program, () => steps++), FilterArchitecture.X64.Audit, number, new ulong[6]);
        return steps;
    }

    private static void Compare(Random random, SeccompConfig config, Func<FilterArchitecture, uint, ulong[], uint> expected)
    {
        var ours = FilterCompiler.Compile(config, FilterArchitecture.X64, []).Instructions;
        BpfMachine.Check(ours);
        foreach (var architecture in Pc)
        {
            var numbers = CallNumbers.Of(architecture);
            var known = config.Syscalls!.SelectMany(rule => rule.Names).Where(numbers.ContainsKey).Select(name => numbers[name]).Order().ToArray();
            for (var probe = 0; probe < 300 && known.Length > 0; probe++)
            {
                // Newer calls than the profile's are another test's business.
                var number = probe % 4 == 0 ? (uint)random.Next((int)architecture.NumberBase, (int)known[^1] + 1) : known[random.Next(known.Length)];
                if (architecture.HasMultiplexers && number is 102 or 117)
                {
                    continue;
                }

                var arguments = Enumerable.Range(0, 6).Select(_ => RandomValue(random)).ToArray();
                var (their, our) = (expected(architecture, number, arguments), BpfMachine.Run(ours, architecture.Audit, number, arguments));
                Assert.True(their == our, $"0x{our:x} and not 0x{their:x}: {Describe(config, numbers, architecture, number, arguments)}");
            }
        }
    }

    private static bool Holds(SeccompArgument test, ulong argument, bool isWide)
    {
        var mask = isWide ? ulong.MaxValue : uint.MaxValue;
        var (left, right, second) = (argument & mask, test.Value & mask, test.ValueTwo & mask);
        return test.Op switch
        {
            "SCMP_CMP_NE" => left != right,
            "SCMP_CMP_LT" => left < right,
            "SCMP_CMP_LE" => left <= right,
            "SCMP_CMP_EQ" => left == right,
            "SCMP_CMP_GE" => left >= right,
            "SCMP_CMP_GT" => left > right,
            _ => (left & right) == second,
        };
    }

    private static string Describe(SeccompConfig config, Dictionary<string, uint> numbers, FilterArchitecture architecture, uint number, ulong[] arguments)
    {
        var name = numbers.FirstOrDefault(entry => entry.Value == number).Key ?? number.ToString();
        var rules = config.Syscalls!.Where(rule => rule.Names.Contains(name)).Select(rule =>
            $"{rule.Action} if " + string.Join(" and ", rule.Args!.Select(test => $"{test.Index} {test.Op} 0x{test.Value:x} 0x{test.ValueTwo:x}")));
        return $"{name} of column {architecture.Column} with {string.Join(' ', arguments.Select(value => $"0x{value:x}"))}; {string.Join("; ", rules)}";
    }

    private static uint Answer(SeccompConfig config, uint number, ulong argument = 0) =>
        BpfMachine.Run(FilterCompiler.Compile(config, FilterArchitecture.X64, []).Instructions, FilterArchitecture.X64.Audit, number, [argument, 0, 0, 0, 0, 0]);

    private static SeccompRule Rule(string action, uint? errno, string[] names, params SeccompArgument[] tests) =>
        new() { Names = names, Action = action, ErrnoRet = errno, Args = tests };

    private static SeccompConfig RandomConfig(Random random, int rulesPerCall)
    {
        var names = CallNumbers.Of(Pc[random.Next(2)]).Keys.Where(name => name is not ("socketcall" or "ipc") && LibSeccomp.Knows(name)).ToArray();
        random.Shuffle(names);
        var rules = new List<SeccompRule>();
        foreach (var name in names.Take(random.Next(3, 60)))
        {
            // One action a call: what overlapping tests with different answers mean is an accident of libseccomp's tree.
            var (action, errno) = random.Next(5) switch
            {
                0 => ("SCMP_ACT_ERRNO", (uint?)random.Next(1, 100)),
                1 => ("SCMP_ACT_TRAP", null),
                2 => ("SCMP_ACT_LOG", null),
                _ => ("SCMP_ACT_ALLOW", null),
            };
            for (var i = random.Next(rulesPerCall); i >= 0; i--)
            {
                var indexes = new uint[] { 0, 1, 2, 3, 4, 5 };
                random.Shuffle(indexes);
                var tests = indexes.Take(random.Next(4)).Select(index => RandomTest(random, index)).ToArray();
                rules.Add(Rule(action, errno, [name], tests));
            }
        }

        return new SeccompConfig
        {
            DefaultAction = random.Next(2) == 0 ? "SCMP_ACT_ERRNO" : "SCMP_ACT_KILL_PROCESS",
            Architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
            Syscalls = rules,
        };
    }

    private static SeccompArgument RandomTest(Random random, uint index)
    {
        var op = Comparisons[random.Next(Comparisons.Length)];
        var value = RandomValue(random);
        return new SeccompArgument(index, value, op == "SCMP_CMP_MASKED_EQ" ? RandomValue(random) & value : 0, op);
    }

    // Few values, so that they meet.
    private static ulong RandomValue(Random random) => random.Next(8) switch
    {
        0 => 0,
        1 => 1,
        2 => 0x8000_0000,
        3 => 0xffff_ffff,
        4 => 0x1_0000_0000,
        5 => 0x1_0000_0001,
        6 => ulong.MaxValue,
        _ => (ulong)random.NextInt64(),
    };

    private sealed class Counted(BpfInstruction[] program, Action step) : IReadOnlyList<BpfInstruction>
    {
        public int Count => program.Length;

        public BpfInstruction this[int index]
        {
            get
            {
                step();
                return program[index];
            }
        }

        public IEnumerator<BpfInstruction> GetEnumerator() => program.AsEnumerable().GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => program.GetEnumerator();
    }
}
