using System.Runtime.InteropServices;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Seccomp;

namespace Wherry.Runtime.Tests.Seccomp;

/// <summary>The library other runtimes make their filters with, as the oracle for what rules mean.</summary>
internal static unsafe partial class LibSeccomp
{
    private static readonly Dictionary<string, (uint Token, FilterArchitecture Architecture)> Architectures = new(StringComparer.Ordinal)
    {
        ["SCMP_ARCH_X86_64"] = (0xc000003e, FilterArchitecture.X64),
        ["SCMP_ARCH_X86"] = (0x40000003, FilterArchitecture.X86),
        ["SCMP_ARCH_X32"] = (0x4000003e, FilterArchitecture.X32),
    };

    private static readonly string[] Comparisons =
        ["", "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"];

    public static bool IsPresent => NativeLibrary.TryLoad("libseccomp.so.2", out _);

    public static bool Knows(string name) => Resolve(name) != -1;

    /// <summary>Adds the rules as runc does, and gives the program back.</summary>
    public static BpfInstruction[] Compile(SeccompConfig config)
    {
        var byDefault = FilterAction.Parse(config.DefaultAction, config.DefaultErrnoRet, "");
        var context = Init(byDefault);
        Assert.NotEqual(0, context);
        try
        {
            foreach (var name in config.Architectures!)
            {
                var result = AddArchitecture(context, Architectures[name].Token);
                Assert.True(result is 0 or -17, $"{name}: {result}");
            }

            foreach (var rule in config.Syscalls!)
            {
                var answer = FilterAction.Parse(rule.Action, rule.ErrnoRet, "");
                if (answer == byDefault)
                {
                    continue;
                }

                var tests = (rule.Args ?? []).Select(argument => new Test
                {
                    Argument = argument.Index,
                    Comparison = Array.IndexOf(Comparisons, argument.Op),
                    First = argument.Value,
                    Second = argument.ValueTwo,
                }).ToArray();
                foreach (var number in rule.Names.Select(Resolve).Where(number => number != -1))
                {
                    Assert.Equal(0, AddRule(context, answer, number, (uint)tests.Length, tests));
                }
            }

            var (read, write) = FileSyscalls.Pipe();
            using (read)
            {
                var length = Task.Run(() => FileSyscalls.ReadToEnd(read, 1 << 20));
                using (write)
                {
                    Assert.Equal(0, Export(context, write.Number));
                }

                return MemoryMarshal.Cast<byte, BpfInstruction>(length.GetAwaiter().GetResult()).ToArray();
            }
        }
        finally
        {
            Release(context);
        }
    }

    [LibraryImport("libseccomp.so.2", EntryPoint = "seccomp_init")]
    private static partial nint Init(uint byDefault);

    [LibraryImport("libseccomp.so.2", EntryPoint = "seccomp_release")]
    private static partial void Release(nint context);

    [LibraryImport("libseccomp.so.2", EntryPoint = "seccomp_arch_add")]
    private static partial int AddArchitecture(nint context, uint token);

    [LibraryImport("libseccomp.so.2", EntryPoint = "seccomp_syscall_resolve_name", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Resolve(string name);

    [LibraryImport("libseccomp.so.2", EntryPoint = "seccomp_rule_add_array")]
    private static partial int AddRule(nint context, uint action, int number, uint count, [In] Test[] tests);

    [LibraryImport("libseccomp.so.2", EntryPoint = "seccomp_export_bpf")]
    private static partial int Export(nint context, int fd);

    [StructLayout(LayoutKind.Sequential)]
    private struct Test
    {
        public uint Argument;
        public int Comparison;
        public ulong First;
        public ulong Second;
    }
}
