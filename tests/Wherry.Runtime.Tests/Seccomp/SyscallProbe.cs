using System.Diagnostics;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.Tests.Seccomp;

/// <summary>
/// A program that makes system calls by number and says what came back, put into a container's root. Each call is
/// made in a child, so that one that is killed for it can be told of.
/// </summary>
internal static class SyscallProbe
{
    public const string Path = "/bin/probe";

    private const string Source =
        """
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <errno.h>
        #include <signal.h>
        #include <sys/wait.h>
        #include <unistd.h>
        #include <sys/syscall.h>
        /* arguments: WAY:NUMBER[:ARGUMENT…], WAY is 64, 32 (int 0x80) */
        static long make(int way, long number, unsigned long *a) {
            long result;
            if (way == 32) {
        #ifdef __x86_64__
                __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4]) : "r8", "r9", "r10", "r11", "memory");
        #endif
                return result;
            }
            result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
            return result == -1 ? -errno : result;
        }
        int main(int count, char **words) {
            for (int i = 1; i < count; i++) {
                unsigned long a[6] = {0};
                char *save, *word = strdup(words[i]);
                int way = atoi(strtok_r(word, ":", &save));
                long number = strtol(strtok_r(NULL, ":", &save), NULL, 0);
                for (int j = 0; j < 6; j++) {
                    char *text = strtok_r(NULL, ":", &save);
                    if (!text) break;
                    a[j] = strtoul(text, NULL, 0);
                }
                int channel[2];
                if (pipe(channel)) return 1;
                pid_t child = fork();
                if (!child) {
                    long result = make(way, number, a);
                    if (write(channel[1], &result, sizeof result) < 0) return 1;
                    _exit(0);
                }
                int status;
                close(channel[1]);
                long result = 0;
                waitpid(child, &status, 0);
                if (WIFSIGNALED(status)) printf("%s signal %d\n", words[i], WTERMSIG(status));
                else if (read(channel[0], &result, sizeof result) != sizeof result) printf("%s nothing\n", words[i]);
                else printf("%s %ld\n", words[i], result < 0 ? result : 0);
                close(channel[0]);
            }
            return 0;
        }
        """;

    private static readonly Lock Building = new();

    /// <summary>Puts the program into the tests' root file system; the test is skipped without a compiler.</summary>
    public static void Install()
    {
        TestHost.Require();
        Assert.SkipWhen(!File.Exists("/usr/bin/gcc"), "needs gcc");
        lock (Building)
        {
            var target = TestHost.RootFilesystem + Path;
            if (File.Exists(target))
            {
                return;
            }

            var source = System.IO.Path.Combine(TestHost.Directory, "probe.c");
            File.WriteAllText(source, Source);
            using var compiler = Process.Start("gcc", ["-O1", "-static", "-o", target, source]);
            compiler.WaitForExit();
            Assert.Equal(0, compiler.ExitCode);
        }
    }

    /// <summary>What came back of each: 0 for success, an error as minus errno, or the signal that ended it.</summary>
    public static async Task<Dictionary<string, string>> RunAsync(string[] calls, Func<SandboxRequest, SandboxRequest> change)
    {
        Install();
        await using var container = await TestContainer.StartAsync([Path, .. calls], change);
        var exit = await container.ExitAsync();
        Assert.True(exit.ExitCode == 0, $"{exit.ExitCode}: {container.Log("stderr")}");
        return Parse(container.Log("stdout"));
    }

    /// <summary>What the bare kernel answers, without any filter.</summary>
    public static async Task<string> RunOnHostAsync(string call)
    {
        Install();
        using var probe = Process.Start(new ProcessStartInfo(TestHost.RootFilesystem + Path, [call]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var output = await probe.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        return Parse(output)[call];
    }

    public static Dictionary<string, string> Parse(string output) => output
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split(' ', 2))
        .ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);
}
