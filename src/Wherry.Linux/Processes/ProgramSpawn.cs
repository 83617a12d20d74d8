using System.Runtime.InteropServices;
using Wherry.Linux.Kernel;

namespace Wherry.Linux.Processes;

/// <summary>
/// Starts a program with exactly the descriptors it is given. Unlike System.Diagnostics.Process it takes no
/// global lock, starts no thread and leaves signal handling alone.
/// </summary>
public static unsafe partial class ProgramSpawn
{
    private const short SetSigMask = 0x08;
    private const short SetSigDef = 0x04;
    private const short SetSid = 0x80;
    private const int AttributesSize = 512;
    private const int FileActionsSize = 128;
    private const int SignalSetSize = 128;

    /// <param name="path">The program.</param>
    /// <param name="arguments">Its arguments, the program's name first.</param>
    /// <param name="environment">Its whole environment, <c>NAME=value</c>.</param>
    /// <param name="descriptors">What becomes its descriptors 0, 1, 2 …; all others are closed.</param>
    /// <param name="blockedSignals">The signals it starts with blocked.</param>
    /// <param name="workingDirectory">Its working directory.</param>
    /// <returns>The process id, a child of this process and leader of a session of its own.</returns>
    /// <exception cref="LinuxException">The program could not be started.</exception>
    public static int Start(
        string path,
        IReadOnlyList<string> arguments,
        IReadOnlyList<string> environment,
        IReadOnlyList<FileDescriptor> descriptors,
        ulong blockedSignals,
        string workingDirectory = "/")
    {
        using var pathText = new NativeText(path);
        using var rootText = new NativeText(workingDirectory);
        using var argumentStrings = new NativeStrings(arguments);
        using var environmentStrings = new NativeStrings(environment);

        // SAFETY: glibc's posix_spawnattr_t (336 bytes) and file actions (80) fit; both are opaque to us.
        var attributes = stackalloc byte[AttributesSize];
        var actions = stackalloc byte[FileActionsSize];
        var mask = stackalloc ulong[SignalSetSize / sizeof(ulong)];
        var all = stackalloc ulong[SignalSetSize / sizeof(ulong)];
        for (var i = 0; i < SignalSetSize / sizeof(ulong); i++)
        {
            mask[i] = i == 0 ? blockedSignals : 0;
            all[i] = ulong.MaxValue;
        }

        InitAttributes(attributes);
        InitActions(actions);
        try
        {
            SetFlags(attributes, SetSigMask | SetSigDef | SetSid);
            SetMask(attributes, mask);
            SetDefault(attributes, all);

            // Two rounds: the targets of the second never overlap sources of the first.
            var parking = descriptors.Count;
            foreach (var descriptor in descriptors)
            {
                parking = Math.Max(parking, descriptor.Number + 1);
            }

            // First, as it may be given by a descriptor.
            var failure = AddChdir(actions, rootText.Address);
            for (var i = 0; i < descriptors.Count && failure == 0; i++)
            {
                failure = AddDup2(actions, descriptors[i].Number, parking + i);
            }

            for (var i = 0; i < descriptors.Count && failure == 0; i++)
            {
                failure = AddDup2(actions, parking + i, i);
            }

            failure = failure != 0 ? failure : AddCloseFrom(actions, descriptors.Count);
            var pid = 0;
            failure = failure != 0 ? failure : Spawn(&pid, pathText.Address, actions, attributes, argumentStrings.Address, environmentStrings.Address);
            return failure == 0 ? pid : throw new LinuxException($"start {path}", failure);
        }
        finally
        {
            DestroyActions(actions);
            DestroyAttributes(attributes);
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    private static partial int Spawn(int* pid, nint path, byte* actions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int InitAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int DestroyAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetMask(byte* attributes, ulong* set);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetDefault(byte* attributes, ulong* set);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int InitActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int DestroyActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDup2(byte* actions, int fd, int target);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    private static partial int AddCloseFrom(byte* actions, int first);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np")]
    private static partial int AddChdir(byte* actions, nint path);
}
