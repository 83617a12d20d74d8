using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Programs;
using Wherry.Runtime.Stages;
using static Wherry.Runtime.Tests.Harness.TestContainer;

namespace Wherry.Runtime.Tests.Conformance;

/// <summary>By root alone: an ordinary user's supervisor takes no such order, and his wherry-oci is tested by its own commands.</summary>
public abstract class ExecTests(RuntimeMode mode) : ConformanceTests(mode)
{
    [Collection(ContainerCollection.Name)]
    public sealed class AsRoot() : ExecTests(RuntimeMode.Root);

    [Collection(ContainerCollection.Name)]
    public sealed class InUserNamespace() : ExecTests(RuntimeMode.UserNamespaced);

    [Fact]
    [SpecProperty("process.execCPUAffinity")]
    public async Task An_exec_runs_on_the_processors_it_is_given()
    {
        Assert.SkipWhen(Environment.ProcessorCount < 2, "needs two processors");
        Assert.Equal("1", await RunAsync(process => process with { ExecCpuAffinity = new ExecCpuAffinity("0", "1") }, "grep Cpus_allowed_list /proc/self/status | busybox cut -f2"));
    }

    [Fact]
    [SpecProperty("process.scheduler")]
    public async Task An_exec_is_scheduled_as_asked() =>
        Assert.Equal("9", await RunAsync(process => process with { Scheduler = new Scheduler { Policy = "SCHED_BATCH", Nice = 9 } }, "busybox cut -d' ' -f19 /proc/self/stat"));

    // Straight through the launcher, as wherry-oci does; the engine's own requests have none of these.
    private async Task<string> RunAsync(Func<Process, Process> change, string script)
    {
        await using var container = await StartAsync(["sleep", "1000"]);
        var (read, write) = FileSyscalls.Pipe();
        using (read)
        {
            using var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadOnly);
            var launcher = new ExecLauncher(container.Sandbox.HostPid!.Value, NamespaceKinds.All(container.Request.Spec.Linux!.Namespaces));
            using var root = launcher.OpenRoot();
            var order = new ExecOrder(1, new ExecRequest(change(Program(["sh", "-c", script])), null, StreamSelection.None, Detach: false));
            var pid = launcher.Start(order, CgroupHost.Detect().Locate(container.Location.CgroupsPath), root, nothing, write, write);
            write.Dispose();
            var output = System.Text.Encoding.UTF8.GetString(FileSyscalls.ReadToEnd(read, 4096)).Trim();
            ProcessSyscalls.Wait(pid, block: true);
            return output;
        }
    }
}
