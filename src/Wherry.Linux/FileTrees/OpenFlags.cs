using System.Runtime.InteropServices;

namespace Wherry.Linux.FileTrees;

/// <summary>open(2) flags. Some values differ between architectures; this is the only file that knows.</summary>
public static class OpenFlags
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int Truncate = 0x200;
    public const int NonBlock = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int Path = 0x200000;

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    public static int Directory { get; } = IsArm ? 0x4000 : 0x10000;

    public static int NoFollow { get; } = IsArm ? 0x8000 : 0x20000;
}

/// <summary>How openat2(2) resolves a path.</summary>
[Flags]
public enum PathResolution : ulong
{
    None = 0,

    /// <summary>Entering another file system is an error.</summary>
    OneFileSystem = 0x01,
    NoMagicLinks = 0x02,
    NoSymlinks = 0x04,

    /// <summary>Leaving the directory is an error.</summary>
    Beneath = 0x08,

    /// <summary>The directory is the root: absolute paths and links and <c>..</c> stay inside.</summary>
    InRoot = 0x10,
}
