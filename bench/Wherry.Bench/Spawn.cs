using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Wherry.Bench;

/// <summary>
/// Runs a command and measures from just before it is spawned until it has been reaped. System.Diagnostics
/// adds a millisecond of its own to that, which is a fifth of what is measured here.
/// </summary>
public static unsafe partial class Spawn
{
    private const int WriteOnly = 1;
    private const int ReadOnly = 0;

    /// <summary>Runs with empty input and discarded output.</summary>
    /// <exception cref="InvalidOperationException">It exited with another code than 0.</exception>
    public static TimeSpan Measure(string file, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var argv = Strings(arguments.Prepend(file));
        var merged = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .Where(variable => !environment.ContainsKey((string)variable.Key))
            .Select(variable => $"{variable.Key}={variable.Value}")
            .Concat(environment.Select(variable => $"{variable.Key}={variable.Value}"));
        var envp = Strings(merged);
        // posix_spawn_file_actions_t is 80 bytes in glibc; more does no harm.
        var actions = stackalloc byte[256];
        _ = InitializeActions(actions);
        _ = AddOpen(actions, 0, "/dev/null", ReadOnly, 0);
        _ = AddOpen(actions, 1, "/dev/null", WriteOnly, 0);
        _ = AddOpen(actions, 2, "/dev/null", WriteOnly, 0);
        try
        {
            var started = Stopwatch.GetTimestamp();
            // SAFETY: all pointers live until the call returns, and the child has its own copy by then.
            var error = PosixSpawn(out var pid, file, actions, null, argv, envp);
            if (error != 0)
            {
                throw new InvalidOperationException($"{file}: {Marshal.GetPInvokeErrorMessage(error)}");
            }

            int status;
            while (WaitPid(pid, out status, 0) < 0)
            {
                // Interrupted by a signal of the runtime's own.
            }

            var elapsed = Stopwatch.GetElapsedTime(started);
            return status == 0
                ? elapsed
                : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{file} {string.Join(' ', arguments)}: wait status {status}"));
        }
        finally
        {
            _ = DestroyActions(actions);
            Free(argv);
            Free(envp);
        }
    }

    /// <summary>Runs and returns what was printed; not measured.</summary>
    public static string Output(string file, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(file) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output.Trim()
            : throw new InvalidOperationException($"{file} {string.Join(' ', arguments)}: exit code {process.ExitCode}\n{error.Result}");
    }

    private static byte** Strings(IEnumerable<string> values)
    {
        var list = values.ToArray();
        var pointers = (byte**)NativeMemory.Alloc((nuint)(list.Length + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < list.Length; i++)
        {
            pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(list[i]);
        }

        pointers[list.Length] = null;
        return pointers;
    }

    private static void Free(byte** pointers)
    {
        for (var pointer = pointers; *pointer is not null; pointer++)
        {
            Marshal.FreeCoTaskMem((nint)(*pointer));
        }

        NativeMemory.Free(pointers);
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PosixSpawn(out int pid, string path, byte* actions, void* attributes, byte** argv, byte** envp);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int InitializeActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int DestroyActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitPid(int pid, out int status, int options);
}
