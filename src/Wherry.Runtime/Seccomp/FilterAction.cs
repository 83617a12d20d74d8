using Wherry.Errors;

namespace Wherry.Runtime.Seccomp;

/// <summary>What a filter answers (seccomp(2), "SECCOMP_RET_…").</summary>
internal static class FilterAction
{
    public const uint KillProcess = 0x8000_0000;
    public const uint KillThread = 0;
    public const uint Trap = 0x0003_0000;
    public const uint Errno = 0x0005_0000;
    public const uint Notify = 0x7fc0_0000;
    public const uint Trace = 0x7ff0_0000;
    public const uint Log = 0x7ffc_0000;
    public const uint Allow = 0x7fff_0000;

    private const uint ActionMask = 0xffff_0000;
    private const uint DefaultErrno = Linux.Errno.EPERM;
    private const uint LargestErrno = 4095;
    private const uint LargestTraceMessage = ushort.MaxValue;

    /// <summary>The answer without its number.</summary>
    public static uint KindOf(uint answer) => answer & ActionMask;

    /// <summary>Lets the call happen, perhaps with a remark.</summary>
    public static bool IsPermissive(uint answer) => KindOf(answer) is Allow or Log or Trace;

    /// <summary>Denies for ever what the kernel is too old, or we are too old, to have heard of, so that programs fall back on what they know.</summary>
    public const uint NoSuchCall = Errno | Linux.Errno.ENOSYS;

    /// <param name="name">runtime-spec's.</param>
    /// <param name="errno">The error, or the tracer's message; null for the default.</param>
    /// <param name="property">Where it stands, for the error.</param>
    /// <exception cref="WherryException">InvalidParameter: unknown, or an error number that the action can't have.</exception>
    public static uint Parse(string name, uint? errno, string property)
    {
        var answer = name switch
        {
            "SCMP_ACT_KILL" or "SCMP_ACT_KILL_THREAD" => KillThread,
            "SCMP_ACT_KILL_PROCESS" => KillProcess,
            "SCMP_ACT_TRAP" => Trap,
            "SCMP_ACT_ERRNO" => Errno,
            "SCMP_ACT_TRACE" => Trace,
            "SCMP_ACT_LOG" => Log,
            "SCMP_ACT_NOTIFY" => Notify,
            "SCMP_ACT_ALLOW" => Allow,
            _ => throw WherryException.Invalid($"{property}: unknown action \"{name}\""),
        };
        if (answer is not (Errno or Trace))
        {
            return errno is null ? answer : throw WherryException.Invalid($"{property}: {name} has no error number, but {errno} is given");
        }

        var number = errno ?? DefaultErrno;
        var largest = answer == Errno ? LargestErrno : LargestTraceMessage;
        return number <= largest ? answer | number : throw WherryException.Invalid($"{property}: error number {number} is larger than {largest}");
    }

    /// <summary>As <c>/proc/sys/kernel/seccomp/actions_avail</c> calls it.</summary>
    public static string KernelName(uint answer) => KindOf(answer) switch
    {
        KillProcess => "kill_process",
        KillThread => "kill_thread",
        Trap => "trap",
        Errno => "errno",
        Notify => "user_notif",
        Trace => "trace",
        Log => "log",
        _ => "allow",
    };
}
