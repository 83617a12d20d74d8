namespace Wherry.Linux.Mounts;

/// <summary>mount(2) flags.</summary>
[Flags]
public enum MountFlags : ulong
{
    None = 0,
    ReadOnly = 1,
    NoSuid = 2,
    NoDev = 4,
    NoExec = 8,
    Synchronous = 16,
    Remount = 32,
    MandatoryLock = 64,
    DirSync = 128,
    NoSymFollow = 256,
    NoAtime = 1024,
    NoDirAtime = 2048,
    Bind = 4096,
    Move = 8192,
    Recursive = 16384,
    Silent = 32768,
    Unbindable = 1 << 17,
    Private = 1 << 18,
    Slave = 1 << 19,
    Shared = 1 << 20,
    RelAtime = 1 << 21,
    IVersion = 1 << 23,
    StrictAtime = 1 << 24,
    LazyTime = 1 << 25,
}

/// <summary>Attributes of a mount (mount_setattr(2)), as distinct from its file system's.</summary>
[Flags]
public enum MountAttributes : ulong
{
    None = 0,
    ReadOnly = 1,
    NoSuid = 2,
    NoDev = 4,
    NoExec = 8,
    NoAtime = 0x10,
    StrictAtime = 0x20,

    /// <summary>The field of access-time modes; cleared whenever one of them is set. All zero is relatime.</summary>
    AtimeMask = 0x70,
    NoDirAtime = 0x80,
    NoSymFollow = 0x200000,
}
