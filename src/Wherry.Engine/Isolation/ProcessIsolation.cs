using System.Net.Sockets;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Linux.Signals;
using Wherry.Linux.Sockets;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;
using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Engine.Isolation;

/// <summary>Containers as host processes in namespaces, each under a supervisor of its own (<c>wherry-shim</c>).</summary>
/// <param name="shimPath">The supervisor's executable.</param>
internal sealed class ProcessIsolation(string shimPath) : IIsolation
{
    private const UnixFileMode StateMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private const int StandardError = 2;

    /// <summary>How long processes are given to end after SIGKILL.</summary>
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(10);

    /// <summary>The engine's own standard error, which supervisors share; never closed.</summary>
    private static readonly FileDescriptor Errors = new(StandardError);

    private readonly CgroupHost _cgroups = CgroupHost.Detect();

    public string Name => "process";

    public async Task<ISandbox> CreateAsync(SandboxRequest request, CancellationToken cancel)
    {
        var location = request.Location;
        await CleanUpAsync(location, cancel).ConfigureAwait(false);
        var shim = 0;
        ShimConnection? control = null;
        try
        {
            WriteBundle(request);
            Directory.CreateDirectory(location.StateDirectory, StateMode);
            (shim, control) = Spawn(location.Id);
            var answer = await control.AskAsync(MessageKind.Launch, LaunchOrder.For(request).WriteTo, cancel).ConfigureAwait(false);
            return new ProcessSandbox(location, control, Snapshot(answer.Span), shim);
        }
        catch
        {
            if (control is not null)
            {
                await control.DisposeAsync().ConfigureAwait(false);
            }

            if (shim > 0)
            {
                ProcessSyscalls.Kill(shim, SignalNumber.Kill);
                ProcessSyscalls.Wait(shim, block: true);
            }

            await CleanUpAsync(location, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    public async Task<ISandbox?> ReattachAsync(SandboxLocation location, CancellationToken cancel)
    {
        if (await ShimWire.ConnectAsync(location.StateDirectory, cancel).ConfigureAwait(false) is not { } socket)
        {
            return null;
        }

        var control = new ShimConnection(socket);
        try
        {
            var answer = await control.AskAsync(MessageKind.Hello, null, cancel).ConfigureAwait(false);
            return new ProcessSandbox(location, control, Snapshot(answer.Span), shimPid: null);
        }
        catch (WherryException)
        {
            // It ended while it was greeted; its exit record tells the rest.
            await control.DisposeAsync().ConfigureAwait(false);
            return null;
        }
    }

    public ExitRecord? ReadExitRecord(SandboxLocation location) => ExitFiles.Read(location);

    public Task CleanUpAsync(SandboxLocation location, CancellationToken cancel)
    {
        var cgroup = _cgroups.Locate(location.CgroupsPath);
        if (!Directory.Exists(location.StateDirectory) && !cgroup.All.Any(Directory.Exists))
        {
            return Task.CompletedTask;
        }

        return Task.Run(() => CleanUp(location, cgroup), cancel);
    }

    private static void CleanUp(SandboxLocation location, CgroupDirectories cgroup)
    {
        if (ExitFiles.Read(location) is null)
        {
            // The supervisor first: while it lives it may still make processes. One that has left its exit record
            // has nothing more to do than to deliver output to slow clients, and ends by itself.
            ShimProcess.Find(location)?.Kill(KillPatience);
        }

        if (cgroup.All.Any(Directory.Exists))
        {
            if (!cgroup.KillAll(KillPatience) || !RemovedInTime(cgroup))
            {
                throw WherryException.System(
                    $"clean up after container {location.Id}: processes in cgroup {location.CgroupsPath} did not end within {KillPatience.TotalSeconds:0} s of SIGKILL");
            }
        }

        if (Directory.Exists(location.StateDirectory))
        {
            Directory.Delete(location.StateDirectory, recursive: true);
        }
    }

    /// <summary>A process that is no longer listed holds its cgroup until its exit is complete, a moment later.</summary>
    private static bool RemovedInTime(CgroupDirectories cgroup)
    {
        var end = Environment.TickCount64 + (long)KillPatience.TotalMilliseconds;
        while (!cgroup.TryRemove())
        {
            if (Environment.TickCount64 >= end)
            {
                return false;
            }

            Thread.Sleep(1);
        }

        return true;
    }

    private static void WriteBundle(SandboxRequest request)
    {
        var directory = request.Location.BundleDirectory;
        using (var config = File.Create(Path.Combine(directory, StateFiles.Config)))
        {
            JsonSerializer.Serialize(config, request.Spec, SpecJson.Default.Spec);
        }

        using var options = File.Create(Path.Combine(directory, StateFiles.Sandbox));
        JsonSerializer.Serialize(options, request.Options, SandboxJson.Default.SandboxOptions);
    }

    /// <summary>Starts a supervisor that knows nothing yet but the connection on its descriptor 3.</summary>
    private (int Pid, ShimConnection Control) Spawn(string id)
    {
        var (ours, theirs) = UnixSockets.StreamPair();
        using (theirs)
        {
            try
            {
                using var nothing = FileSyscalls.Open("/dev/null", OpenFlags.ReadWrite | OpenFlags.CloseOnExec);
                var pid = ProgramSpawn.Start(shimPath, ["wherry-shim", "--id", id], [], [nothing, nothing, Errors, theirs], SignalSyscalls.Deliverable);
                return (pid, new ShimConnection(new Socket(new SafeSocketHandle(ours.Release(), ownsHandle: true))));
            }
            catch
            {
                ours.Dispose();
                throw;
            }
        }
    }

    private static SandboxSnapshot Snapshot(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        return SandboxSnapshot.ReadFrom(ref reader);
    }
}
