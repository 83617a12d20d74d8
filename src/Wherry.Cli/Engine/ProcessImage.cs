using System.Collections;
using System.Runtime.InteropServices;

namespace Wherry.Cli.Engine;

/// <summary>Replaces this process by another program: the same process id, terminal and streams.</summary>
internal static unsafe partial class ProcessImage
{
    /// <summary>Returns only when it fails, with the errno.</summary>
    internal static int Replace(string program, string[] arguments)
    {
        using var words = new StringVector(arguments);
        using var environment = new StringVector(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(static e => $"{e.Key}={e.Value}"));
        // SAFETY: execve(2) copies path, words and environment before it ends this program, and leaves them alone
        // when it fails; the other threads are the runtime's and end with it.
        _ = Execute(program, words.Pointer, environment.Pointer);
        return Marshal.GetLastPInvokeError();
    }

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, byte** arguments, byte** environment);
}
