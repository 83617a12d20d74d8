using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Text;
using Wherry.Api.Contracts.Execs;
using Wherry.Engine.Containers;
using Wherry.Engine.Specs;
using Wherry.Engine.State;
using Wherry.Engine.Validation;
using Wherry.Errors;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;

namespace Wherry.Engine.Execs;

/// <summary>Programs run in containers besides their own.</summary>
public sealed class ExecService
{
    /// <summary>How long an ended exec can still be inspected.</summary>
    private static readonly TimeSpan Retention = TimeSpan.FromMinutes(5);

    private readonly EngineParts _parts;
    private readonly ConcurrentDictionary<string, ExecInstance> _execs = new(StringComparer.Ordinal);

    internal ExecService(EngineParts parts) => _parts = parts;

    /// <summary>Notes what to run; nothing runs before <see cref="StartAsync"/>.</summary>
    /// <returns>The exec's id.</returns>
    public Task<string> CreateAsync(string idOrName, ExecCreateRequest request, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var container = _parts.Registry.Get(idOrName);
        RequireRunning(container);
        if (request.Cmd is not { Count: > 0 })
        {
            throw WherryException.Invalid("No exec command specified");
        }

        CreateRequestValidator.ValidateEnvironment(request.Env);
        if (request.WorkingDir.Length > 0 && !request.WorkingDir.StartsWith('/'))
        {
            throw WherryException.Invalid($"the working directory '{request.WorkingDir}' is invalid, it needs to be an absolute path");
        }

        Forget();
        var exec = new ExecInstance(ContainerIdentifiers.Create(), container, request);
        _execs[exec.Id] = exec;
        return Task.FromResult(exec.Id);
    }

    /// <summary>
    /// Runs the program. A program that can't be executed is told over the session, as Docker does, and by the
    /// exec's exit code (126, 127).
    /// </summary>
    /// <returns>The session to copy; null when the client detaches.</returns>
    public async Task<AttachSession?> StartAsync(string execId, ExecStartRequest request, CancellationToken cancel)
    {
        var exec = Get(execId);
        RequireRunning(exec.Container);
        var detach = exec.Request.Tty && !request.Detach ? DetachSequence.Parse(exec.Request.DetachKeys) : null;
        if (!exec.TryBegin())
        {
            throw WherryException.Conflict(exec.Status == ExecStatus.Running
                ? $"Error: Exec command {execId} is already running"
                : $"Error: Exec command {execId} has already run");
        }

        var streams = request.Detach
            ? StreamSelection.None
            : new StreamSelection(exec.Request.AttachStdin, exec.Request.AttachStdout, exec.Request.AttachStderr);
        try
        {
            var order = new ExecRequest(ProcessOf(exec, request), UserOf(exec), streams, request.Detach);
            var process = await exec.Container.RequireSandbox().ExecAsync(order, cancel).ConfigureAwait(false);
            exec.Process = process;
            var settled = WatchAsync(exec, process);
            return request.Detach
                ? null
                : new AttachSession(exec.Request.Tty, streams, Task.FromResult(process.Streams), detach, settled: settled);
        }
        catch (SandboxStartException failure) when (!request.Detach)
        {
            exec.End(failure.ExitCode);
            return new AttachSession(
                exec.Request.Tty,
                streams,
                Task.FromResult<IStreamConnection?>(null),
                replay: (output, stop) => WriteFailureAsync(failure, exec.Request.Tty, output, stop));
        }
        catch (SandboxStartException failure)
        {
            exec.End(failure.ExitCode);
            throw;
        }
        catch
        {
            exec.End(-1);
            throw;
        }
    }

    public ExecInspectResponse Inspect(string execId)
    {
        var exec = Get(execId);
        var request = exec.Request;
        return new ExecInspectResponse
        {
            ID = exec.Id,
            Running = exec.Status == ExecStatus.Running,
            ExitCode = exec.ExitCode,
            ProcessConfig = new ProcessConfig
            {
                Tty = request.Tty,
                Entrypoint = request.Cmd![0],
                Arguments = [.. request.Cmd.Skip(1)],
                Privileged = request.Privileged,
                User = request.User,
            },
            OpenStdin = request.AttachStdin,
            OpenStdout = request.AttachStdout,
            OpenStderr = request.AttachStderr,
            CanRemove = exec.Status == ExecStatus.Ended,
            ContainerID = exec.Container.Id,
            DetachKeys = request.DetachKeys,
            Pid = exec.Process?.Pid ?? 0,
        };
    }

    public async Task ResizeAsync(string execId, int height, int width, CancellationToken cancel)
    {
        var exec = Get(execId);
        if (exec.Process is not { } process || exec.Status != ExecStatus.Running)
        {
            throw WherryException.Conflict($"exec {execId} is not running");
        }

        await process.ResizeAsync(height, width, cancel).ConfigureAwait(false);
    }

    /// <summary>Ids of a container's execs that have not ended; null when there are none, as Docker shows it.</summary>
    internal IReadOnlyList<string>? RunningIdsOf(string containerId)
    {
        string[] ids =
        [
            .. from exec in _execs.Values
               where exec.Container.Id == containerId && exec.Status == ExecStatus.Running
               select exec.Id,
        ];
        return ids.Length == 0 ? null : ids;
    }

    private ExecInstance Get(string execId) =>
        _execs.TryGetValue(execId, out var exec) ? exec : throw WherryException.NotFound($"No such exec instance: {execId}");

    private static void RequireRunning(Container container)
    {
        if (container.Life.Status == ContainerStatus.Paused)
        {
            throw WherryException.Conflict($"container {container.Record.Name} is paused, unpause the container before exec");
        }

        if (container.Life.Status != ContainerStatus.Running)
        {
            throw WherryException.Conflict($"container {container.Id} is not running");
        }
    }

    private static async Task WatchAsync(ExecInstance exec, IExecProcess process)
    {
        try
        {
            exec.End(await process.Exit.ConfigureAwait(false));
        }
        catch (Exception gone) when (gone is IOException or WherryException or OperationCanceledException or ObjectDisposedException)
        {
            // The container's end took the program with it before its own exit code was told.
            exec.End(137);
        }

        await process.DisposeAsync().ConfigureAwait(false);
    }

    private Process ProcessOf(ExecInstance exec, ExecStartRequest start)
    {
        var request = exec.Request;
        var size = start.ConsoleSize ?? request.ConsoleSize;
        var own = SandboxPlan.SpecOf(_parts, exec.Container.Record).Process!;
        return own with
        {
            Args = [.. request.Cmd!],
            Env = ExecEnvironment.Compose(own.Env, request.Env ?? [], request.Tty),
            Cwd = request.WorkingDir.Length > 0 ? request.WorkingDir : own.Cwd,
            Terminal = request.Tty,
            ConsoleSize = size is [var height, var width] && height > 0 && width > 0 ? new ConsoleSize(height, width) : null,
            // What the container was started under, whatever the engine has come to know of since.
            ApparmorProfile = exec.Container.Life.AppArmorProfile,
            Capabilities = request.Privileged ? DefaultCapabilities.All(_parts.Host) : own.Capabilities,
        };
    }

    private static string? UserOf(ExecInstance exec)
    {
        var user = exec.Request.User.Length > 0 ? exec.Request.User : exec.Container.Record.Config.User;
        return user.Length > 0 ? user : null;
    }

    /// <summary>One line on the client's terminal, or one frame of standard error.</summary>
    private static async Task WriteFailureAsync(SandboxStartException failure, bool tty, PipeWriter output, CancellationToken cancel)
    {
        const byte StandardError = 2;
        var text = Encoding.UTF8.GetBytes($"wherry exec failed: {failure.Message}\r\n");
        if (!tty)
        {
            var header = output.GetMemory(8);
            header.Span[..8].Clear();
            header.Span[0] = StandardError;
            BinaryPrimitives.WriteInt32BigEndian(header.Span[4..], text.Length);
            output.Advance(8);
        }

        await output.WriteAsync(text, cancel).ConfigureAwait(false);
    }

    private void Forget()
    {
        var now = DateTimeOffset.UtcNow;
        foreach (var (id, exec) in _execs)
        {
            var unstartable = exec.Status == ExecStatus.Created && !exec.Container.Life.IsAlive;
            if (unstartable || (exec.EndedAt is { } ended && now - ended > Retention))
            {
                _execs.TryRemove(id, out _);
            }
        }
    }
}
