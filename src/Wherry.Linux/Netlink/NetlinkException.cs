using Wherry.Errors;

namespace Wherry.Linux.Netlink;

/// <summary>The kernel refused a netlink message: what was being done, the errno, and the kernel's own words where it gave some.</summary>
public sealed class NetlinkException : WherryException
{
    /// <param name="doing">The operation and its object, e.g. <c>add veth pair vethw01 to bridge wherry0</c>.</param>
    /// <param name="errno">The positive errno from the acknowledgement.</param>
    /// <param name="explanation">The extended acknowledgement's text (NLMSGERR_ATTR_MSG), or null.</param>
    public NetlinkException(string doing, int errno, string? explanation = null)
        : base(ErrorKind.System, $"{doing}: {Errno.Describe(errno)}{(explanation is null ? "" : $": {explanation}")}")
    {
        ErrorNumber = errno;
        Explanation = explanation;
    }

    public int ErrorNumber { get; }

    public string? Explanation { get; }
}
