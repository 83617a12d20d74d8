using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Linux.Sockets;
using Wherry.Runtime.Bundles;
using Wherry.Runtime.Contracts.Protocol;
using Wherry.Runtime.Stages;
using Wherry.Shim.Supervision;

namespace Wherry.Shim.Oci;

/// <summary><c>wherry-oci run</c>: one bundle in the foreground, from its first process to its exit code.</summary>
public static class RunCommand
{
    private const string DefaultCgroupParent = "/wherry-oci";
    private static readonly TimeSpan PatienceWithProcesses = TimeSpan.FromSeconds(10);

    public static int Run(string id, string bundleDirectory)
    {
        RequireName(id);
        var bundle = Bundle.Read(bundleDirectory);
        RequireNoHooks(bundle);
        var path = bundle.Linux.CgroupsPath is { Length: > 0 } given ? given : $"{DefaultCgroupParent}/{id}";
        var cgroup = CgroupHost.Detect().Locate(path);

        // All signals are taken in order from one descriptor, so no thread may take one on its own.
        EveryThread.Run(() => SignalSyscalls.SetMask(SignalSyscalls.Deliverable));
        ProcessSyscalls.SetDumpable(false);
        ProcessSyscalls.BecomeSubreaper();
        if (cgroup.All.Any(Directory.Exists) && cgroup.Processes().Count > 0)
        {
            throw WherryException.Conflict($"container {id} is running already: its cgroup {path} has processes in it");
        }

        try
        {
            cgroup.Create();
            return Run(bundle, cgroup, path);
        }
        finally
        {
            cgroup.KillAll(PatienceWithProcesses);
            cgroup.TryRemove();
            CgroupHost.Detect().Locate(DefaultCgroupParent).TryRemoveEmpty();
        }
    }

    private static int Run(Bundle bundle, CgroupDirectories cgroup, string path)
    {
        using var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadWrite);
        var terminal = bundle.Process.Terminal;
        using var stdin = terminal ? FileSyscalls.Duplicate(nothing) : FileSyscalls.Duplicate(0);
        using var stdout = terminal ? FileSyscalls.Duplicate(nothing) : FileSyscalls.Duplicate(1);
        using var stderr = terminal ? FileSyscalls.Duplicate(nothing) : FileSyscalls.Duplicate(2);
        var request = new StageRequest
        {
            Bundle = bundle.Directory,
            Cgroup = cgroup,
            CgroupsPath = path,
            Namespaces = bundle.Linux.Namespaces,
            Stdin = stdin,
            Stdout = stdout,
            Stderr = stderr,
        };
        var pid = StageLauncher.Launch(request, out var channel);
        using (channel)
        {
            using var master = WaitUntilReady(channel);
            UnixSockets.SendMessage(channel, new WireWriter(MessageKind.StageGo, 0).Finish().Span);
            using var foreground = new Foreground(pid, channel, master);
            return foreground.Serve();
        }
    }

    private static FileDescriptor? WaitUntilReady(FileDescriptor channel)
    {
        var buffer = new byte[StageChannel.MaxMessage];
        var length = UnixSockets.ReceiveMessage(channel, buffer, wait: true, out var master);
        if (length < Frame.HeaderSize)
        {
            throw WherryException.System("the container's first process ended before it was ready");
        }

        var frame = Frame.Parse(buffer);
        var reader = new WireReader(buffer.AsSpan(Frame.HeaderSize, frame.PayloadLength));
        if (frame.Kind == MessageKind.Failed)
        {
            throw FailedAnswer.ReadFrom(ref reader).ToException();
        }

        foreach (var warning in reader.ReadStrings())
        {
            ConsoleText.WriteLine(2, $"{OciCommandLine.ProgramName}: warning: {warning}");
        }

        return master;
    }

    private static void RequireName(string id)
    {
        if (id.Length is 0 or > 128 || id is "." or ".." || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '-' or '.'))
        {
            throw WherryException.Invalid($"container id \"{id}\": letters, digits and _ + - . are allowed, up to 128 of them");
        }
    }

    private static void RequireNoHooks(Bundle bundle)
    {
        if (bundle.Spec.Hooks is { } hooks
            && hooks.Prestart.Concat(hooks.CreateRuntime).Concat(hooks.CreateContainer).Concat(hooks.StartContainer).Concat(hooks.Poststart).Concat(hooks.Poststop).Any())
        {
            throw WherryException.Unsupported("the bundle has hooks, which are not supported yet");
        }
    }
}
