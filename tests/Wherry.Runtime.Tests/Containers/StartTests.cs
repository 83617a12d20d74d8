using Wherry.Linux.Signals;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Containers;

[Collection(ContainerCollection.Name)]
public sealed class StartTests
{
    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 3", 3)]
    [InlineData("exit 255", 255)]
    public async Task Exit_code_is_the_programs_own(string script, int expected)
    {
        await using var container = await StartAsync(["sh", "-c", script]);
        var exit = await container.ExitAsync();
        Assert.Equal(expected, exit.ExitCode);
        Assert.False(exit.OomKilled);
        Assert.Equal("", exit.Error);
        Assert.NotNull(exit.StartedAt);
        Assert.True(exit.FinishedAt >= exit.StartedAt);
    }

    [Fact]
    public async Task A_killed_program_exits_with_128_and_the_signals_number()
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        await container.Sandbox.SignalAsync(SignalNumber.Kill, all: false, Cancel);
        Assert.Equal(137, (await container.ExitAsync()).ExitCode);
    }

    [Theory]
    [InlineData("no-such-program", 127, "exec: \"no-such-program\": executable file not found in $PATH")]
    [InlineData("/no/such/program", 127, "exec: \"/no/such/program\": stat /no/such/program: no such file or directory")]
    [InlineData("/etc/passwd", 126, "exec: \"/etc/passwd\": permission denied")]
    [InlineData("/etc", 126, "exec: \"/etc\": permission denied")]
    public async Task A_program_that_cannot_be_executed_says_why(string program, int code, string message)
    {
        await using var container = await CreateAsync([program]);
        var failure = await Assert.ThrowsAsync<SandboxStartException>(() => container.Sandbox.StartAsync(Cancel));
        Assert.Equal(code, failure.ExitCode);
        Assert.Equal(message, failure.Message);
        var exit = await container.ExitAsync();
        Assert.Equal(code, exit.ExitCode);
        Assert.Equal(message, exit.Error);
        Assert.Null(exit.StartedAt);
    }

    [Fact]
    public async Task A_mount_that_fails_is_named_and_leaves_nothing()
    {
        await using var container = await CreateAsync(["true"], request => request with
        {
            Spec = request.Spec with { Mounts = [.. request.Spec.Mounts, new Mount { Destination = "/x", Type = "bind", Source = "/no/such/source", Options = ["rbind"] }] },
        });
        var failure = await Assert.ThrowsAsync<SandboxStartException>(() => container.Sandbox.StartAsync(Cancel));
        Assert.Equal(128, failure.ExitCode);
        Assert.Contains("/no/such/source", failure.Message);
        await container.ExitAsync();
        await container.CleanUpAsync();
        Assert.Empty(container.Remains());
    }

    [Fact]
    public async Task Names_environment_and_directory_are_as_asked()
    {
        var output = await OutputOfAsync("hostname; pwd; echo $HOME; echo $X", request => WithProcess(request, process => process with { Cwd = "/made/for/this", Env = ["PATH=/bin", "X=y z"] }));
        Assert.Equal("box\n/made/for/this\n/root\ny z\n", output);
    }

    [Fact]
    public async Task The_end_leaves_nothing_on_the_host()
    {
        await using var container = await StartAsync(["true"]);
        await container.ExitAsync();
        Assert.Equal([container.Location.StateDirectory], container.Remains());
        await container.CleanUpAsync();
        Assert.Empty(container.Remains());
    }

    [Fact]
    public async Task Network_namespace_is_there_before_the_program_runs()
    {
        await using var container = await CreateAsync(["cat", "/proc/net/dev"]);
        Assert.Null(container.Sandbox.StartedAt);
        var own = new FileInfo(container.Sandbox.NetworkNamespacePath!).LinkTarget;
        Assert.NotEqual(new FileInfo("/proc/self/ns/net").LinkTarget, own);
        await container.Sandbox.StartAsync(Cancel);
        await container.ExitAsync();
        Assert.Contains("lo:", container.Log("stdout"));
    }

    [Fact]
    public async Task A_joined_network_namespace_is_the_other_containers()
    {
        await using var first = await StartAsync(["sleep", "1000"]);
        var output = await OutputOfAsync("readlink /proc/self/ns/net", request => WithLinux(request, linux => linux with
        {
            Namespaces = [.. linux.Namespaces.Where(ns => ns.Type != "network"), new Namespace("network", first.Sandbox.NetworkNamespacePath)],
        }));
        Assert.Equal(new FileInfo(first.Sandbox.NetworkNamespacePath!).LinkTarget, output.Trim());
    }

    [Fact]
    public async Task An_overlay_takes_more_layers_than_mount_options_have_room_for()
    {
        await using var container = Prepare(["true"]);
        var layers = Enumerable.Range(0, 200).Select(number => Path.Combine(container.Location.BundleDirectory, "layers", $"a-name-as-long-as-a-chain-id-would-be-{number:d32}")).ToList();
        foreach (var layer in layers)
        {
            Directory.CreateDirectory(layer);
            File.WriteAllText(Path.Combine(layer, "topmost"), Path.GetFileName(layer));
        }

        var output = await OutputOfAsync("cat /topmost", request => WithOptions(request, options => options with
        {
            Rootfs = [options.Rootfs[0] with { LowerDirectories = [.. layers, TestHost.RootFilesystem] }],
        }));
        Assert.Equal(Path.GetFileName(layers[0]), output);
    }
}
