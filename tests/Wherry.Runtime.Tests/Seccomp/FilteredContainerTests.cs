using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Seccomp;
using Process = System.Diagnostics.Process;

namespace Wherry.Runtime.Tests.Seccomp;

/// <summary>Filters in real containers: what the kernel answers is what the rules say.</summary>
[Collection(ContainerCollection.Name)]
public sealed class FilteredContainerTests
{
    /// <summary>What the probe itself and busybox's shell need, and no more than execve for the runtime.</summary>
    private static readonly string[] Needed =
    [
        "execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlinkat", "readlink", "getrandom", "mprotect",
        "fork", "clone", "clone3", "pipe", "pipe2", "read", "write", "close", "wait4", "exit", "exit_group", "fstat", "newfstatat", "ioctl",
        "mmap", "munmap", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "futex", "gettid", "tgkill", "prctl", "uname",
    ];

    private static readonly SeccompRule Basic = new() { Names = Needed, Action = "SCMP_ACT_ALLOW" };

    [Fact]
    public async Task Each_action_does_what_it_is_called()
    {
        RequirePc();
        var config = new SeccompConfig
        {
            DefaultAction = "SCMP_ACT_ERRNO",
            DefaultErrnoRet = 77,
            Architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
            Syscalls =
            [
                Basic,
                Rule("SCMP_ACT_ERRNO", 99, "getuid"),
                Rule("SCMP_ACT_KILL_PROCESS", null, "getgid"),
                Rule("SCMP_ACT_KILL", null, "geteuid"),
                Rule("SCMP_ACT_TRAP", null, "getegid"),
                Rule("SCMP_ACT_TRACE", 5, "getppid"),
                Rule("SCMP_ACT_LOG", null, "getpgrp"),
                Rule("SCMP_ACT_ALLOW", null, "cachestat"),
            ],
        };
        var answers = await SyscallProbe.RunAsync(["64:102", "64:104", "64:107", "64:108", "64:110", "64:111", "64:186", "64:39", "64:999", "64:0x40000027"], With(config));
        Assert.Equal("-99", answers["64:102"]);
        Assert.Equal("signal 31", answers["64:104"]);
        Assert.Equal("signal 31", answers["64:107"]);
        Assert.Equal("signal 31", answers["64:108"]);
        Assert.Equal("-38", answers["64:110"]);
        Assert.Equal("0", answers["64:111"]);
        Assert.Equal("0", answers["64:186"]);
        Assert.Equal("-77", answers["64:39"]);
        Assert.Equal("-38", answers["64:999"]);
        Assert.Equal("signal 31", answers["64:0x40000027"]);
    }

    [Fact]
    public async Task Calls_of_the_32_bit_architecture_are_judged_by_their_own_numbers()
    {
        RequirePc();
        Assert.SkipWhen(await SyscallProbe.RunOnHostAsync("32:20") != "0", "this kernel runs no 32-bit system calls");
        var config = new SeccompConfig
        {
            DefaultAction = "SCMP_ACT_ERRNO",
            DefaultErrnoRet = 77,
            Architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
            Syscalls = [Basic, Rule("SCMP_ACT_ERRNO", 99, "getuid32"), Rule("SCMP_ACT_ALLOW", null, "getpid")],
        };
        var answers = await SyscallProbe.RunAsync(["32:199", "32:200", "32:20"], With(config));
        Assert.Equal("-99", answers["32:199"]);
        Assert.Equal("-77", answers["32:200"]);
        Assert.Equal("0", answers["32:20"]);
    }

    [Fact]
    public async Task Arguments_are_compared_as_the_rules_say()
    {
        RequirePc();
        var operators = new (string Op, ulong Value, ulong Two)[]
        {
            ("SCMP_CMP_NE", 5, 0), ("SCMP_CMP_LT", 0x1_0000_0005, 0), ("SCMP_CMP_LE", 0x1_0000_0005, 0), ("SCMP_CMP_EQ", 0x1_0000_0005, 0),
            ("SCMP_CMP_GE", 0x1_0000_0005, 0), ("SCMP_CMP_GT", 0x1_0000_0005, 0), ("SCMP_CMP_MASKED_EQ", 0x1_0000_000f, 0x1_0000_0005),
        };
        string[] names = ["getuid", "getgid", "geteuid", "getegid", "getppid", "getpgrp", "getpid"];
        int[] numbers = [102, 104, 107, 108, 110, 111, 39];
        ulong[] values = [4, 5, 6, 0x1_0000_0004, 0x1_0000_0005, 0x1_0000_0006, 0x2_0000_0005, 0x1_0000_0015];
        var config = new SeccompConfig
        {
            DefaultAction = "SCMP_ACT_ERRNO",
            Syscalls = [Basic, .. operators.Select((test, i) => new SeccompRule { Names = [names[i]], Action = "SCMP_ACT_ALLOW", Args = [new SeccompArgument(3, test.Value, test.Two, test.Op)] })],
        };
        var calls = numbers.SelectMany(number => values.Select(value => $"64:{number}:1:2:3:{value}")).ToArray();
        var answers = await SyscallProbe.RunAsync(calls, With(config));
        for (var i = 0; i < operators.Length; i++)
        {
            var (op, right, two) = operators[i];
            foreach (var left in values)
            {
                var holds = op switch
                {
                    "SCMP_CMP_NE" => left != right,
                    "SCMP_CMP_LT" => left < right,
                    "SCMP_CMP_LE" => left <= right,
                    "SCMP_CMP_EQ" => left == right,
                    "SCMP_CMP_GE" => left >= right,
                    "SCMP_CMP_GT" => left > right,
                    _ => (left & right) == two,
                };
                Assert.True((holds ? "0" : "-1") == answers[$"64:{numbers[i]}:1:2:3:{left}"], $"0x{left:x} {op} 0x{right:x}");
            }
        }
    }

    [Theory]
    [InlineData(false, 0u)]
    [InlineData(false, 1000u)]
    [InlineData(true, 0u)]
    [InlineData(true, 1000u)]
    public async Task Nothing_but_execve_is_needed_after_the_filter_and_no_capability_stays(bool noNewPrivileges, uint uid)
    {
        var config = Config("SCMP_ACT_ERRNO", Rule("SCMP_ACT_ALLOW", null, [.. Needed, "openat", "getuid", "geteuid", "getgid", "getegid", "getpid", "getppid", "getcwd", "fcntl", "dup2", "stat", "sendfile"]));
        var output = await TestContainer.OutputOfAsync(
            "cat /proc/self/status",
            request => TestContainer.WithProcess(With(config)(request), process => process with { NoNewPrivileges = noNewPrivileges, User = new User { Uid = uid, Gid = uid } }));
        Assert.Contains("Seccomp:\t2", output);
        Assert.Contains($"NoNewPrivs:\t{(noNewPrivileges ? 1 : 0)}", output);
        var effective = uid == 0 ? "00000000a80425fb" : "0000000000000000";
        Assert.Contains($"CapEff:\t{effective}", output);
        Assert.Contains($"CapPrm:\t{effective}", output);
    }

    [Fact]
    public async Task Exec_is_under_the_same_filter()
    {
        RequirePc();
        SyscallProbe.Install();
        var config = Config("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", 42, "getppid"));
        await using var container = await TestContainer.StartAsync(["sleep", "60"], With(config));
        foreach (var user in (string?[])[null, "1000:1000"])
        {
            var (code, stdout, stderr) = await container.ExecAsync([SyscallProbe.Path, "64:110", "64:39"], request => request with { User = user });
            Assert.True(code == 0, stderr);
            Assert.Equal("-42", SyscallProbe.Parse(stdout)["64:110"]);
            Assert.Equal("0", SyscallProbe.Parse(stdout)["64:39"]);
        }

        var failure = await Assert.ThrowsAsync<SandboxStartException>(() => container.ExecAsync(["/bin/none"]));
        Assert.Equal(127, failure.ExitCode);
    }

    [Fact]
    public async Task Init_itself_is_filtered_and_still_reaps_and_forwards()
    {
        var config = Config("SCMP_ACT_KILL_PROCESS", Rule("SCMP_ACT_ALLOW", null, [.. Needed, "openat", "getuid", "geteuid", "getgid", "getegid", "getpid", "getppid", "getcwd", "fcntl", "dup2", "stat", "sendfile", "nanosleep", "clock_nanosleep"]));
        await using var container = await TestContainer.StartAsync(
            ["sh", "-c", "until grep Seccomp:.2 /proc/1/status; do :; done; echo filtered; trap 'echo term; exit 7' TERM; (sleep 0.1 &) ; echo ready; sleep 60 & wait"],
            request => TestContainer.WithOptions(With(config)(request), options => options with { Init = true }));
        while (!container.Log("stdout").Contains("ready", StringComparison.Ordinal))
        {
            Assert.False(container.Sandbox.Exit.IsCompleted, container.Log("stderr"));
            await Task.Delay(5, TestContainer.Cancel);
        }

        Assert.Contains("filtered", container.Log("stdout"));
        await container.Sandbox.SignalAsync(15, all: false, TestContainer.Cancel);
        Assert.Equal(7, (await container.ExitAsync()).ExitCode);
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_reported_even_where_reporting_is_forbidden()
    {
        var config = Config("SCMP_ACT_KILL_PROCESS", Rule("SCMP_ACT_ALLOW", null, "execve"));
        await using var container = await TestContainer.CreateAsync(["/bin/none"], With(config));
        var failure = await Assert.ThrowsAsync<SandboxStartException>(() => container.Sandbox.StartAsync(TestContainer.Cancel));
        Assert.Equal(127, failure.ExitCode);
    }

    [Fact]
    public async Task Wrong_rules_stop_a_start_and_are_named()
    {
        var config = Config("SCMP_ACT_ALLOW", Rule("SCMP_ACT_SING", null, "getppid"));
        await using var container = await TestContainer.CreateAsync(["true"], With(config));
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => container.Sandbox.StartAsync(TestContainer.Cancel));
        Assert.Contains("SCMP_ACT_SING", failure.Message);
    }

    [Fact]
    public async Task A_filter_is_compiled_once_and_then_comes_from_its_cache()
    {
        var cache = Path.Combine(TestHost.Directory, "cached.bpf");
        var config = Config("SCMP_ACT_ALLOW", Rule("SCMP_ACT_ERRNO", 42, "sethostname"));
        SandboxRequest Change(SandboxRequest request) => TestContainer.WithOptions(With(config)(request), options => options with { SeccompCache = cache });
        await TestContainer.OutputOfAsync("true", Change);
        var written = File.GetLastWriteTimeUtc(cache);
        Assert.NotNull(CompiledFilter.TryParse(File.ReadAllBytes(cache)));
        Assert.Contains("Seccomp:\t2", await TestContainer.OutputOfAsync("grep Seccomp: /proc/self/status", Change));
        Assert.Equal(written, File.GetLastWriteTimeUtc(cache));
        File.WriteAllText(cache, "damaged");
        Assert.Contains("Seccomp:\t2", await TestContainer.OutputOfAsync("grep Seccomp: /proc/self/status", Change));
        Assert.NotNull(CompiledFilter.TryParse(File.ReadAllBytes(cache)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_agent_is_given_the_listener_with_the_containers_state_and_answers_calls(bool init)
    {
        RequirePc();
        SyscallProbe.Install();
        using var agent = new Agent(Path.Combine(TestHost.Directory, $"agent-{init}.sock"));

        // The program's very first call waits for the agent too.
        var config = Config("SCMP_ACT_ALLOW", Rule("SCMP_ACT_NOTIFY", null, "getppid", "brk")) with { ListenerPath = agent.Path, ListenerMetadata = "whose" };
        await using var container = await TestContainer.StartAsync(
            [SyscallProbe.Path, "64:110"], request => TestContainer.WithOptions(With(config)(request), options => options with { Init = init }));
        await container.ExitAsync();
        Assert.Equal("-55", SyscallProbe.Parse(container.Log("stdout"))["64:110"]);
        using var state = JsonDocument.Parse(agent.State);
        Assert.Equal("seccompFd", state.RootElement.GetProperty("fds")[0].GetString());
        Assert.Equal("whose", state.RootElement.GetProperty("metadata").GetString());
        Assert.True(state.RootElement.GetProperty("pid").GetInt32() > 1);
        Assert.Equal(container.Location.Id, state.RootElement.GetProperty("state").GetProperty("id").GetString());
        Assert.Equal("creating", state.RootElement.GetProperty("state").GetProperty("status").GetString());
        Assert.Equal(container.Location.BundleDirectory, state.RootElement.GetProperty("state").GetProperty("bundle").GetString());
    }

    [Fact]
    public async Task An_exec_has_a_listener_of_its_own()
    {
        RequirePc();
        SyscallProbe.Install();
        using var agent = new Agent(Path.Combine(TestHost.Directory, "agent-exec.sock"));
        var config = Config("SCMP_ACT_ALLOW", Rule("SCMP_ACT_NOTIFY", null, "getppid", "sendmsg", "execve")) with { ListenerPath = agent.Path };
        await using var container = await TestContainer.StartAsync(["sleep", "60"], With(config));
        Assert.Contains("creating", agent.State);
        var (code, stdout, stderr) = await container.ExecAsync([SyscallProbe.Path, "64:110"]);
        Assert.True(code == 0, stderr);
        Assert.Equal("-55", SyscallProbe.Parse(stdout)["64:110"]);
        Assert.Equal("running", JsonDocument.Parse(agent.State).RootElement.GetProperty("state").GetProperty("status").GetString());
    }

    [Fact]
    public async Task An_agent_that_is_not_there_stops_the_start()
    {
        var config = Config("SCMP_ACT_ALLOW", Rule("SCMP_ACT_NOTIFY", null, "getppid")) with { ListenerPath = "/tmp/nobody-listens-here" };
        await using var container = await TestContainer.CreateAsync(["true"], With(config));
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => container.Sandbox.StartAsync(TestContainer.Cancel));
        Assert.Contains("listenerPath", failure.Message);
    }

    private static void RequirePc() => Assert.SkipWhen(RuntimeInformation.ProcessArchitecture != Architecture.X64, "the probe's numbers are x86-64's");

    private static Func<SandboxRequest, SandboxRequest> With(SeccompConfig config) =>
        request => TestContainer.WithLinux(request, linux => linux with { Seccomp = config });

    private static SeccompConfig Config(string byDefault, params SeccompRule[] rules) => new() { DefaultAction = byDefault, Syscalls = rules };

    private static SeccompRule Rule(string action, uint? errno, params string[] names) => new() { Names = names, Action = action, ErrnoRet = errno };

    /// <summary>Answers every call it is told of: execve and brk may go on, anything else fails with errno 55. A small C program does it.</summary>
    private sealed class Agent : IDisposable
    {
        private const string Source =
            """
            #include <linux/seccomp.h>
            #include <stdio.h>
            #include <string.h>
            #include <sys/ioctl.h>
            #include <sys/socket.h>
            #include <sys/syscall.h>
            #include <sys/un.h>
            #include <unistd.h>
            int main(int count, char **words) {
                struct sockaddr_un address = {.sun_family = AF_UNIX};
                strncpy(address.sun_path, words[1], sizeof address.sun_path - 1);
                int server = socket(AF_UNIX, SOCK_STREAM, 0);
                if (bind(server, (void *)&address, sizeof address) || listen(server, 5)) return 1;
                puts("listening"); fflush(stdout);
                for (;;) {
                    int client = accept(server, 0, 0);
                    char text[4096], control[CMSG_SPACE(sizeof(int))];
                    struct iovec vector = {text, sizeof text - 1};
                    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
                    long length = recvmsg(client, &message, 0);
                    if (length <= 0 || !CMSG_FIRSTHDR(&message)) { close(client); continue; }
                    int listener;
                    memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof listener);
                    text[length] = 0;
                    puts(text); fflush(stdout);
                    if (fork()) { close(listener); close(client); continue; }
                    for (;;) {
                        struct seccomp_notif asked;
                        struct seccomp_notif_resp answer;
                        memset(&asked, 0, sizeof asked);
                        memset(&answer, 0, sizeof answer);
                        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked)) return 0;
                        answer.id = asked.id;
                        int goes_on = asked.data.nr == __NR_execve || asked.data.nr == __NR_brk;
                        answer.flags = goes_on ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
                        answer.error = goes_on ? 0 : -55;
                        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
                    }
                }
            }
            """;

        private readonly Process _process;

        public Agent(string path)
        {
            Path = path;
            var program = System.IO.Path.Combine(TestHost.Directory, "agent-" + Guid.NewGuid());
            File.WriteAllText(program + ".c", Source);
            using (var compiler = Process.Start("gcc", ["-O1", "-o", program, program + ".c"]))
            {
                compiler.WaitForExit();
                Assert.Equal(0, compiler.ExitCode);
            }

            _process = Process.Start(new ProcessStartInfo(program, [path]) { RedirectStandardOutput = true, UseShellExecute = false })!;
            Assert.Equal("listening", _process.StandardOutput.ReadLine());
        }

        public string Path { get; }

        /// <summary>The next container state it was sent.</summary>
        public string State => _process.StandardOutput.ReadLine()!;

        public void Dispose()
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
            _process.Dispose();
        }
    }
}
