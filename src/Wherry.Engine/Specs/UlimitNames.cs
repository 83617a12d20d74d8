namespace Wherry.Engine.Specs;

/// <summary>Resource limits as <c>--ulimit</c>, the runtime-spec and the kernel call them (getrlimit(2), proc(5)).</summary>
internal static class UlimitNames
{
    /// <summary>Runtime-spec name to the label in <c>/proc/self/limits</c>.</summary>
    public static readonly IReadOnlyList<(string Name, string Label)> KernelLabels =
    [
        ("RLIMIT_CPU", "Max cpu time"),
        ("RLIMIT_FSIZE", "Max file size"),
        ("RLIMIT_DATA", "Max data size"),
        ("RLIMIT_STACK", "Max stack size"),
        ("RLIMIT_CORE", "Max core file size"),
        ("RLIMIT_RSS", "Max resident set"),
        ("RLIMIT_NPROC", "Max processes"),
        ("RLIMIT_NOFILE", "Max open files"),
        ("RLIMIT_MEMLOCK", "Max locked memory"),
        ("RLIMIT_AS", "Max address space"),
        ("RLIMIT_LOCKS", "Max file locks"),
        ("RLIMIT_SIGPENDING", "Max pending signals"),
        ("RLIMIT_MSGQUEUE", "Max msgqueue size"),
        ("RLIMIT_NICE", "Max nice priority"),
        ("RLIMIT_RTPRIO", "Max realtime priority"),
        ("RLIMIT_RTTIME", "Max realtime timeout"),
    ];

    /// <summary><c>nofile</c> is <c>RLIMIT_NOFILE</c>; null for what the kernel does not limit.</summary>
    public static string? Find(string ulimit)
    {
        var name = "RLIMIT_" + ulimit.ToUpperInvariant();
        return KernelLabels.Any(entry => entry.Name == name) ? name : null;
    }
}
