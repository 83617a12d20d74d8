namespace Wherry.Linux.Netlink;

/// <summary>nlmsg_flags (netlink(7)).</summary>
[Flags]
public enum NetlinkFlags
{
    None = 0,
    Request = 0x1,
    Acknowledge = 0x4,
    Dump = 0x300,
    Exclusive = 0x200,
    Create = 0x400,
    Append = 0x800,
}
