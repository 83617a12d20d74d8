using Wherry.Errors;

namespace Wherry.Runtime.Programs;

/// <summary>Resource limits by name (getrlimit(2)).</summary>
public static class ResourceLimits
{
    private static readonly string[] Names =
    [
        "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC", "RLIMIT_NOFILE",
        "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
    ];

    public static int NumberOf(string name)
    {
        var number = Array.IndexOf(Names, name.ToUpperInvariant());
        return number >= 0 ? number : throw WherryException.Invalid($"unknown resource limit \"{name}\"");
    }
}
