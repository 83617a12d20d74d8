using System.Collections;
using System.Runtime.InteropServices;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.Engine;

/// <summary>
/// Starts a program that outlives us: its own session, no input, output appended to a log, default signal handling.
/// <see cref="System.Diagnostics.Process"/> can do none of these.
/// </summary>
internal static unsafe partial class DetachedProcess
{
    private const short ResetSignalMask = 0x08;
    private const short ResetSignalHandling = 0x04;
    private const short NewSession = 0x80;
    private const int NoHang = 1;
    private const int ReadOnly = 0;
    private const int AppendToLog = 0x1 | 0x40 | 0x400; // O_WRONLY | O_CREAT | O_APPEND
    private const uint LogMode = 0x1A0; // 0640

    /// <summary>More than any C library's <c>posix_spawnattr_t</c>, <c>posix_spawn_file_actions_t</c> and <c>sigset_t</c> take.</summary>
    private const int OpaqueSize = 1024;

    /// <summary>Returns the new process's id.</summary>
    internal static int Start(string program, string log)
    {
        var attributes = stackalloc byte[OpaqueSize];
        var actions = stackalloc byte[OpaqueSize];
        var none = stackalloc byte[OpaqueSize];
        var all = stackalloc byte[OpaqueSize];
        new Span<byte>(none, OpaqueSize).Clear();

        // SAFETY: the opaque structures live on this frame and are larger than the C library's; the strings are
        // marshalled for each call, and posix_spawn copies all it needs before it returns.
        Check(InitializeAttributes(attributes));
        Check(InitializeActions(actions));
        try
        {
            _ = FillSet(all);
            Check(SetFlags(attributes, ResetSignalMask | ResetSignalHandling | NewSession));
            Check(SetMask(attributes, none));
            Check(SetDefault(attributes, all));
            Check(AddOpen(actions, 0, "/dev/null", ReadOnly, 0));
            Check(AddOpen(actions, 1, log, AppendToLog, LogMode));
            Check(AddDuplicate(actions, 1, 2));

            using var arguments = new StringVector([program]);
            using var environment = new StringVector(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(static e => $"{e.Key}={e.Value}"));
            int process;
            var error = Spawn(&process, program, actions, attributes, arguments.Pointer, environment.Pointer);
            return error == 0 ? process : throw new CliException($"cannot start {program}: {Marshal.GetPInvokeErrorMessage(error)}");
        }
        finally
        {
            _ = DestroyActions(actions);
            _ = DestroyAttributes(attributes);
        }
    }

    /// <summary>True once the process has ended (and has then been reaped).</summary>
    internal static bool HasEnded(int process)
    {
        int status;
        // SAFETY: fills one int on this frame.
        return Libc.WaitProcess(process, &status, NoHang) != 0;
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new CliException($"cannot start the engine: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int InitializeAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int DestroyAttributes(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetMask(byte* attributes, byte* set);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetDefault(byte* attributes, byte* set);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    private static partial int FillSet(byte* set);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int InitializeActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int DestroyActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDuplicate(byte* actions, int descriptor, int newDescriptor);

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Spawn(int* process, string path, byte* actions, byte* attributes, byte** arguments, byte** environment);
}
