using System.Runtime.InteropServices;

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

    private const long NoAnswer = -1;

    // Of most calls nothing but an answer is said: an array of them is a few pages, a tree of objects was dozens.
    private readonly List<long> _answers = [];
    private readonly Dictionary<uint, List<ConditionalAnswer>> _conditional = [];

    public FilterArchitecture Architecture => architecture;

    /// <summary>The newest call the profile's author has thought of; what is newer is denied as if the kernel did not have it. Null without any.</summary>
    public uint? LastNumber { get; private set; }

    /// <summary>In the order of their numbers.</summary>
    public IEnumerable<SyscallRules> ByNumber()
    {
        for (var i = 0; i < _answers.Count; i++)
        {
            var number = (uint)i;
            if (_answers[i] != NoAnswer)
            {
                yield return new SyscallRules(number | architecture.NumberBase, (uint)_answers[i], []);
            }
            else if (_conditional.TryGetValue(number, out var conditional))
            {
                yield return new SyscallRules(number | architecture.NumberBase, null, conditional);
            }
        }
    }

    /// <summary>A call that neither this machine nor we know has no rule: it can't be made, or is denied as too new.</summary>
    /// <param name="name">The call's.</param>
    /// <param name="call">The same, as the table has it.</param>
    /// <param name="answer">What it gets.</param>
    /// <param name="alternatives">Tests on its arguments, one set of which must hold.</param>
    /// <param name="isDefault">Calls that nothing is said of get the same answer.</param>
    public void Add(string name, SyscallTable.Call call, uint answer, IReadOnlyList<IReadOnlyList<ArgumentTest>> alternatives, bool isDefault)
    {
        if (call.NumberOn(architecture) is { } number)
        {
            LastNumber = Math.Max(LastNumber ?? 0, number | architecture.NumberBase);
            Add(number, answer, alternatives, isDefault);
        }

        if (architecture.HasMultiplexers && alternatives is [[]])
        {
            // What a sub-call is given lies in memory, where a filter can't look: only rules without tests carry over.
            AddSubcall("socketcall", Array.IndexOf(SocketCalls, name, 1), answer, isDefault);
            AddSubcall("ipc", IpcCalls.TryGetValue(name, out var subcall) ? (int)subcall : -1, answer, isDefault);
        }
    }

    private void AddSubcall(string multiplexer, int call, uint answer, bool isDefault)
    {
        if (call > 0)
        {
            Add(SyscallTable.Find(multiplexer).NumberOn(architecture)!.Value, answer, [[new ArgumentTest(0, Comparison.Equal, (ulong)call)]], isDefault);
        }
    }

    private void Add(uint number, uint answer, IReadOnlyList<IReadOnlyList<ArgumentTest>> alternatives, bool isDefault)
    {
        if (isDefault)
        {
            return;
        }

        while (_answers.Count <= number)
        {
            _answers.Add(NoAnswer);
        }

        foreach (var tests in alternatives)
        {
            if (tests.Count > 0)
            {
                ref var conditional = ref CollectionsMarshal.GetValueRefOrAddDefault(_conditional, number, out _);
                (conditional ??= []).Add(new ConditionalAnswer(answer, tests));
            }
            else if (_answers[(int)number] == NoAnswer)
            {
                _answers[(int)number] = answer;
            }
        }
    }
}
