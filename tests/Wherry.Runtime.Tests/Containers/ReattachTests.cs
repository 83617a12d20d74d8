using System.Globalization;
using Wherry.Linux.Signals;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Containers;

[Collection(ContainerCollection.Name)]
public sealed class ReattachTests
{
    [Fact]
    public async Task A_container_goes_on_when_its_engine_goes_and_is_found_again()
    {
        await using var container = await StartAsync(["sh", "-c", "i=0; while true; do i=$((i+1)); echo $i; sleep 0.005; done"]);
        var (pid, started) = (container.Sandbox.HostPid, container.Sandbox.StartedAt);
        for (var i = 0; i < 5; i++)
        {
            Assert.NotNull(await container.ReattachAsync());
            Assert.Equal(pid, container.Sandbox.HostPid);
            Assert.Equal(started, container.Sandbox.StartedAt);
        }

        Assert.Equal(0, (await container.ExecAsync(["true"])).Code);
        await container.Sandbox.SignalAsync(SignalNumber.Kill, all: false, Cancel);
        Assert.Equal(137, (await container.ExitAsync()).ExitCode);
        var lines = container.LogLines().Select(line => int.Parse(line.Text, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(Enumerable.Range(1, lines.Count), lines);
    }

    [Fact]
    public async Task An_exit_that_nobody_saw_is_on_record()
    {
        await using var container = await StartAsync(["sh", "-c", "sleep 0.2; exit 42"]);
        await container.Sandbox.DisposeAsync();
        for (var i = 0; i < 200 && container.ExitRecord() is null; i++)
        {
            await Task.Delay(20, Cancel);
        }

        Assert.Equal(42, container.ExitRecord()!.ExitCode);
        Assert.Null(await container.ReattachAsync());
    }

    [Fact]
    public async Task One_made_but_never_started_can_be_started_by_the_next_engine()
    {
        await using var container = await CreateAsync(["sh", "-c", "exit 8"]);
        Assert.NotNull(await container.ReattachAsync());
        Assert.Null(container.Sandbox.StartedAt);
        await container.Sandbox.StartAsync(Cancel);
        Assert.NotNull(container.Sandbox.StartedAt);
        Assert.Equal(8, (await container.ExitAsync()).ExitCode);
    }

    [Fact]
    public async Task Supervisors_leave_no_zombies()
    {
        for (var i = 0; i < 10; i++)
        {
            await using var container = await StartAsync(["true"]);
            await container.ExitAsync();
        }

        var own = Environment.ProcessId;
        for (var i = 0; i < 100 && Zombies(own).Any(); i++)
        {
            await Task.Delay(20, Cancel);
        }

        Assert.Empty(Zombies(own));
    }

    private static IEnumerable<string> Zombies(int parent) => Directory.GetDirectories("/proc")
        .Where(directory => int.TryParse(Path.GetFileName(directory), out _))
        .Select(directory =>
        {
            try
            {
                return File.ReadAllText(directory + "/stat");
            }
            catch (IOException)
            {
                return "";
            }
        })
        .Where(stat => stat.Contains($") Z {parent} ", StringComparison.Ordinal) && stat.Contains("(wherry-shim", StringComparison.Ordinal));
}
