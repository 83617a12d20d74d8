using Wherry.Errors;

namespace Wherry.Linux;

/// <summary>A system call failed: what was being done, on what, and the errno.</summary>
public sealed class LinuxException : WherryException
{
    /// <param name="doing">The operation and its object, e.g. <c>mount /proc</c>.</param>
    /// <param name="errno">The raw errno value (errno(3)).</param>
    public LinuxException(string doing, int errno)
        : base(ErrorKind.System, $"{doing}: {Errno.Describe(errno)}") => ErrorNumber = errno;

    public int ErrorNumber { get; }
}
