using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Programs;
using Wherry.Runtime.Stages;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Containers;

[Collection(ContainerCollection.Name)]
public sealed class CollectionStressTests
{
    [Fact]
    public async Task Two_thousand_execs_survive_collections_in_other_threads()
    {
        const int execs = 2000;
        await using var container = await StartAsync(["sleep", "1000"]);
        using var done = new CancellationTokenSource();
        var garbage = Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(() => MakeGarbage(done.Token), TaskCreationOptions.LongRunning)).ToList();
        var finished = Task.Factory.StartNew(() => ExecMany(container, execs), TaskCreationOptions.LongRunning);
        Assert.Same(finished, await Task.WhenAny(finished, Task.Delay(TimeSpan.FromMinutes(2), Cancel)));
        Assert.Equal(execs, await finished);
        await done.CancelAsync();
        await Task.WhenAll(garbage);
        Assert.True(GC.CollectionCount(0) > 100);
    }

    private static int ExecMany(TestContainer container, int count)
    {
        using var launcher = new ExecLauncher(container.Sandbox.HostPid!.Value, NamespaceKinds.All(container.Request.Spec.Linux!.Namespaces));
        using var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadWrite);
        var cgroup = CgroupHost.Detect().Locate(container.Location.CgroupsPath);
        var order = new ExecOrder(1, new ExecRequest(Program(["true"]), null, StreamSelection.None, Detach: true));
        var ended = 0;
        for (var i = 0; i < count; i++)
        {
            using var root = launcher.OpenRoot();
            var pid = launcher.Start(order, cgroup, root, nothing, nothing, nothing);
            ended += ProcessSyscalls.Wait(pid, block: true) is { ExitCode: 0 } ? 1 : 0;
        }

        return ended;
    }

    private static void MakeGarbage(CancellationToken done)
    {
        var kept = new byte[64][];
        for (var i = 0; !done.IsCancellationRequested; i++)
        {
            kept[i % kept.Length] = new byte[10_000];
            if (i % 5000 == 0)
            {
                GC.Collect(i % 3);
            }
        }
    }
}
