using System.Runtime.InteropServices;

namespace Wherry.Linux.Files;

/// <summary>open(2) flags; those that differ between architectures are spelled out here.</summary>
public static class OpenFlags
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NoControllingTerminal = 0x100;
    public const int Truncate = 0x200;
    public const int Append = 0x400;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;

    public static int Directory => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    public static int NoFollow => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;
}

/// <summary>How openat2(2) may resolve a path.</summary>
[Flags]
public enum ResolveFlags : ulong
{
    None = 0,
    NoCrossMount = 1,
    NoMagicLinks = 2,
    NoSymlinks = 4,
    Beneath = 8,

    /// <summary>The starting directory is the root: absolute symlinks and <c>..</c> stay inside.</summary>
    InRoot = 16,
}

/// <summary>File type bits of a mode (inode(7)).</summary>
public static class FileMode
{
    public const int TypeMask = 0xf000;
    public const int Socket = 0xc000;
    public const int SymbolicLink = 0xa000;
    public const int Regular = 0x8000;
    public const int BlockDevice = 0x6000;
    public const int Directory = 0x4000;
    public const int CharacterDevice = 0x2000;
    public const int Fifo = 0x1000;
}
