using Wherry.Runtime.Seccomp;

namespace Wherry.Runtime.Tests.Seccomp;

public sealed class SyscallTableTests
{
    public static TheoryData<string> Architectures => [.. All.Keys];

    private static Dictionary<string, FilterArchitecture> All => new(StringComparer.Ordinal)
    {
        ["x86-64"] = FilterArchitecture.X64,
        ["i386"] = FilterArchitecture.X86,
        ["x32"] = FilterArchitecture.X32,
        ["arm64"] = FilterArchitecture.Arm64,
    };

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Every_call_is_found_by_its_name_and_no_other(string name)
    {
        var architecture = All[name];
        var numbers = CallNumbers.Of(architecture);
        Assert.True(numbers.Count > 250);
        foreach (var (call, number) in numbers)
        {
            Assert.Equal(number, SyscallTable.Find(call).NumberOn(architecture) | architecture.NumberBase);
            foreach (var other in new[] { call + "_", call + "~", call[..^1], "!" + call, call.ToUpperInvariant() })
            {
                Assert.Equal(numbers.TryGetValue(other, out var also), SyscallTable.Find(other).NumberOn(architecture) is { } found && (found | architecture.NumberBase) == also);
            }
        }

        Assert.Null(SyscallTable.Find("").NumberOn(architecture));
        Assert.Null(SyscallTable.Find("réad").NumberOn(architecture));
    }

    [Fact]
    public void A_call_that_an_architecture_does_not_have_has_no_number_there()
    {
        var socketcall = SyscallTable.Find("socketcall");
        Assert.Null(socketcall.NumberOn(FilterArchitecture.X64));
        Assert.Equal(102u, socketcall.NumberOn(FilterArchitecture.X86));
    }
}
