using System.Globalization;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Programs;

// wherry-runtime-stress PID CGROUP COUNT: runs /bin/true COUNT times in the container whose first process is PID,
// while two threads make garbage and force collections; says how many execs and collections there were.
var pid = int.Parse(args[0], CultureInfo.InvariantCulture);
var cgroup = CgroupHost.Detect().Locate(args[1]);
var count = int.Parse(args[2], CultureInfo.InvariantCulture);

using var done = new CancellationTokenSource();
var threads = Enumerable.Range(0, 2).Select(_ => new Thread(() => MakeGarbage(done.Token))).ToList();
threads.ForEach(thread => thread.Start());

const CloneFlags namespaces = CloneFlags.NewPid | CloneFlags.NewMount | CloneFlags.NewIpc | CloneFlags.NewUts | CloneFlags.NewNetwork | CloneFlags.NewCgroup;
var launcher = new ExecLauncher(pid, namespaces);
using var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadWrite);
var process = new Process { Args = ["true"], Env = ["PATH=/bin"] };
var order = new ExecOrder(1, new ExecRequest(process, null, StreamSelection.None, Detach: true));
var ended = 0;
for (var i = 0; i < count; i++)
{
    using var root = launcher.OpenRoot();
    var exec = launcher.Start(order, cgroup, root, nothing, nothing, nothing);
    ended += ProcessSyscalls.Wait(exec, block: true) is { ExitCode: 0 } ? 1 : 0;
}

done.Cancel();
threads.ForEach(thread => thread.Join());
Console.WriteLine($"{ended} {GC.CollectionCount(0)}");
return ended == count ? 0 : 1;

static void MakeGarbage(CancellationToken done)
{
    var kept = new byte[64][];
    for (var i = 0; !done.IsCancellationRequested; i++)
    {
        kept[i % kept.Length] = new byte[10_000];
        if (i % 500 == 0)
        {
            GC.Collect(i % 3);
        }
    }
}
