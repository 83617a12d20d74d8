namespace Wherry.EndToEnd.Tests;

/// <summary>The system call filter that containers get, and those users bring.</summary>
public sealed class SeccompTests(EngineFixture fixture) : EngineTests(fixture)
{
    private const string Mode = "grep Seccomp: /proc/self/status | cut -f2";

    [Theory, BothClients]
    public async Task Containers_and_their_execs_are_filtered_by_default(string client)
    {
        var id = await Client(client).DetachedAsync("busybox", "sleep", "300");
        Assert.Equal("2", await Client(client).TextAsync("exec", id, "sh", "-c", Mode));
        Assert.Equal("2", await Client(client).TextAsync("exec", "--privileged", id, "sh", "-c", Mode));
        Assert.Equal("2", await Client(client).TextAsync("exec", id, "sh", "-c", "grep Seccomp: /proc/1/status | cut -f2"));
        (await Client(client).RunAsync("exec", id, "unshare", "-U", "true")).Refused("not permitted");

        // The first process sheds its own rights a moment after it has started the program.
        Assert.Equal("2", await Client(client).TextAsync("run", "--rm", "--init", "busybox", "sh", "-c", "until grep -q Seccomp:.2 /proc/1/status; do :; done; echo 2"));
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task Privileged_and_unconfined_are_not_and_builtin_by_name_is(string client)
    {
        Assert.Equal("0", await Client(client).TextAsync("run", "--rm", "--privileged", "busybox", "sh", "-c", Mode));
        Assert.Equal("0", await Client(client).TextAsync("run", "--rm", "--security-opt", "seccomp=unconfined", "busybox", "sh", "-c", Mode));
        Assert.Equal("2", await Client(client).TextAsync("run", "--rm", "--security-opt", "seccomp=builtin", "--privileged", "busybox", "sh", "-c", Mode));
    }

    [Theory, BothClients]
    public async Task A_capability_opens_the_calls_that_need_it(string client)
    {
        (await Client(client).RunAsync("run", "--rm", "busybox", "unshare", "-m", "true")).Refused("not permitted");
        (await Client(client).RunAsync("run", "--rm", "--cap-add", "SYS_ADMIN", "busybox", "unshare", "-m", "true")).Succeeded();
    }

    [Theory, BothClients]
    public async Task A_profile_of_the_users_own_holds_and_is_shown(string client)
    {
        var file = Path.Combine(HostDirectory(), "profile.json");
        await File.WriteAllTextAsync(
            file,
            """{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":122}]}""",
            TestContext.Current.CancellationToken);
        (await Client(client).RunAsync("run", "--rm", "--security-opt", $"seccomp={file}", "busybox", "mkdir", "/x")).Failed(1, "quota");
        var id = await Client(client).DetachedAsync("--security-opt", $"seccomp={file}", "busybox", "sleep", "300");
        (await Client(client).RunAsync("exec", id, "mkdir", "/x")).Failed(1, "quota");
        Assert.Contains("SCMP_ACT_ERRNO", await Client(client).FieldAsync(id, "{{json .HostConfig.SecurityOpt}}"), StringComparison.Ordinal);
        await Client(client).RemoveAsync(id);
    }

    [Theory, BothClients]
    public async Task What_is_no_profile_is_refused_and_nothing_is_made(string client)
    {
        var file = Path.Combine(HostDirectory(), "profile.json");
        await File.WriteAllTextAsync(file, """{"defaultAction":"SCMP_ACT_JUGGLE"}""", TestContext.Current.CancellationToken);
        (await Client(client).RunAsync("create", "--name", "juggler", "--security-opt", $"seccomp={file}", "busybox")).Refused("SCMP_ACT_JUGGLE");
        (await Client(client).RunAsync("create", "--name", "juggler", "--security-opt", "seccomp=/nonexistent", "busybox")).Refused("/nonexistent");
        (await Client(client).RunAsync("inspect", "juggler")).Refused("No such");
    }

    [Theory, BothClients]
    public async Task Info_says_so(string client) =>
        Assert.Contains("seccomp", await Client(client).TextAsync("info"), StringComparison.Ordinal);

    [Fact]
    public async Task A_filter_is_compiled_once_for_all_containers()
    {
        await Docker.TextAsync("run", "--rm", "busybox", "true");
        var cache = Path.Combine(Engine.ExecRoot, "seccomp");
        var files = Directory.GetFiles(cache).ToDictionary(file => file, File.GetLastWriteTimeUtc);
        await Docker.TextAsync("run", "--rm", "busybox", "true");
        Assert.Equal(files, Directory.GetFiles(cache).ToDictionary(file => file, File.GetLastWriteTimeUtc));
        Assert.NotEmpty(files);
    }
}
