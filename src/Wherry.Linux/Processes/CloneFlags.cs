namespace Wherry.Linux.Processes;

/// <summary>clone(2), unshare(2) and setns(2) flags.</summary>
[Flags]
public enum CloneFlags : uint
{
    None = 0,
    NewTime = 0x80,
    Memory = 0x100,
    Vfork = 0x4000,
    Parent = 0x8000,
    ParentSetTid = 0x100000,
    NewMount = 0x20000,
    NewCgroup = 0x02000000,
    NewUts = 0x04000000,
    NewIpc = 0x08000000,
    NewUser = 0x10000000,
    NewPid = 0x20000000,
    NewNetwork = 0x40000000,
}
