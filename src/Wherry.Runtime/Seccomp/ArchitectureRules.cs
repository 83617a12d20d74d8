namespace Wherry.Runtime.Seccomp;

/// <summary>A profile's rules for one architecture, by system call number.</summary>
internal sealed class ArchitectureRules(FilterArchitecture architecture)
{
    /// <summary>Sub-calls of <c>socketcall</c> (linux/net.h).</summary>
    private static readonly string[] SocketCalls =
    [
        "", "socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair", "send", "recv", "sendto",
        "recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
    ];

    /// <summary>Sub-calls of <c>ipc</c> (linux/ipc.h).</summary>
    private static readonly Dictionary<string, uint> IpcCalls = new(StringComparer.Ordinal)
    {
        ["semop"] = 1,
        ["semget"] = 2,
        ["semctl"] = 3,
        ["semtimedop"] = 4,
        ["msgsnd"] = 11,
        ["msgrcv"] = 12,
        ["msgget"] = 13,
        ["msgctl"] = 14,
        ["shmat"] = 21,
        ["shmdt"] = 22,
        ["shmget"] = 23,
        ["shmctl"] = 24,
    };

    private readonly Dictionary<string, uint> _numbers = SyscallTable.Of(architecture);

    public FilterArchitecture Architecture => architecture;

    public SortedDictionary<uint, SyscallRules> ByNumber { get; } = [];

    /// <summary>The newest call the profile's author has thought of; what is newer is denied as if the kernel did not have it. Null without any.</summary>
    public uint? LastNumber { get; private set; }

    /// <summary>A call that neither this machine nor we know has no rule: it can't be made, or is denied as too new.</summary>
    public void Add(string name, uint answer, IReadOnlyList<IReadOnlyList<ArgumentTest>> alternatives, bool isDefault)
    {
        if (_numbers.TryGetValue(name, out var number))
        {
            LastNumber = Math.Max(LastNumber ?? 0, number);
            Add(number, answer, alternatives, isDefault);
        }

        if (architecture.HasMultiplexers && alternatives is [[]])
        {
            // What a sub-call is given lies in memory, where a filter can't look: only rules without tests carry over.
            AddSubcall("socketcall", Array.IndexOf(SocketCalls, name, 1), answer, isDefault);
            AddSubcall("ipc", IpcCalls.TryGetValue(name, out var call) ? (int)call : -1, answer, isDefault);
        }
    }

    private void AddSubcall(string multiplexer, int call, uint answer, bool isDefault)
    {
        if (call > 0)
        {
            Add(_numbers[multiplexer], answer, [[new ArgumentTest(0, Comparison.Equal, (ulong)call)]], isDefault);
        }
    }

    private void Add(uint number, uint answer, IReadOnlyList<IReadOnlyList<ArgumentTest>> alternatives, bool isDefault)
    {
        if (isDefault)
        {
            return;
        }

        if (!ByNumber.TryGetValue(number, out var rules))
        {
            ByNumber.Add(number, rules = new SyscallRules());
        }

        foreach (var tests in alternatives)
        {
            rules.Add(answer, tests);
        }
    }
}
