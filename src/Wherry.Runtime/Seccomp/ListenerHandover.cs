using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Wherry.Errors;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Linux.Processes;
using Wherry.Linux.Sockets;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Programs;

namespace Wherry.Runtime.Seccomp;

/// <summary>Of which container a listener is.</summary>
/// <param name="OciVersion">Of its configuration.</param>
/// <param name="Id">Its id.</param>
/// <param name="Status"><c>creating</c> for its first program, <c>running</c> for further ones.</param>
/// <param name="Pid">Its first process, as the runtime sees it.</param>
/// <param name="Bundle">Its bundle's directory.</param>
public sealed record ListenerOwner(string OciVersion, string Id, string Status, int Pid, string Bundle);

/// <summary>
/// Sends a filter's listener to the agent the bundle names (config-linux.md, "The Container Process State"). A
/// thread of its own does it, which the filter is not installed on: the program's thread may be unable to make any
/// call before the agent answers.
/// </summary>
internal sealed unsafe class ListenerHandover : IDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(1);

    private const string ThreadDirectory = "/proc/self/task";
    private const int UsualThreads = 2;

    private readonly FileDescriptor _agent;
    private readonly ProgramPlan* _plan;
    private readonly SeccompConfig _config;
    private readonly ListenerOwner _owner;
    private readonly Thread _thread;
    private readonly bool _isOtherProcess;
    private volatile bool _over;

    /// <summary>Begins to wait for the listener.</summary>
    /// <param name="agent">From <see cref="Connect"/>; the caller's to close, after this is disposed.</param>
    /// <param name="config">The bundle's rules.</param>
    /// <param name="owner">Whom it is about.</param>
    /// <param name="program">To be run once this waits; outlives it.</param>
    /// <param name="isOtherProcess">The program's descriptors are not this process's.</param>
    public ListenerHandover(FileDescriptor agent, SeccompConfig config, ListenerOwner owner, PreparedProgram program, bool isOtherProcess)
    {
        (_agent, _config, _owner, _isOtherProcess) = (agent, config, owner, isOtherProcess);
        _plan = program.Address;
        _thread = new Thread(Serve, maxStackSize: 256 * 1024) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Connects to the agent a bundle names.</summary>
    /// <exception cref="WherryException">Nobody listens there.</exception>
    public static FileDescriptor Connect(SeccompConfig config)
    {
        var result = UnixSockets.TryConnect(config.ListenerPath!, out var agent);
        return agent ?? throw WherryException.Invalid($"linux.seccomp.listenerPath: failed to connect with seccomp agent at {config.ListenerPath}: {Errno.Describe(-result)}");
    }

    /// <summary>Waits until the thread has gone, from the kernel's view too: what follows may count threads.</summary>
    public void Dispose()
    {
        _over = true;
        _thread.Join();
        SpinWait.SpinUntil(() => Directory.GetDirectories(ThreadDirectory).Length <= UsualThreads, TimeSpan.FromSeconds(1));
    }

    private void Serve()
    {
        while (Volatile.Read(ref _plan->Listener) < 0)
        {
            if (_over)
            {
                return;
            }

            Thread.Sleep(BetweenLooks);
        }

        var result = 1;
        try
        {
            using var listener = Take();
            UnixSockets.SendMessage(_agent, State(), listener);
        }
        catch (LinuxException e)
        {
            result = -e.ErrorNumber;
        }
        catch (Exception)
        {
            result = -Errno.EIO;
        }

        Volatile.Write(ref _plan->ListenerTaken, result);
    }

    private FileDescriptor Take()
    {
        if (!_isOtherProcess)
        {
            return FileSyscalls.Duplicate(_plan->Listener);
        }

        using var process = ProcessSyscalls.OpenPidfd(_plan->ProcessId);
        return ProcessSyscalls.TakeDescriptor(process, _plan->Listener);
    }

    private ReadOnlySpan<byte> State()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("ociVersion"u8, _owner.OciVersion);
        json.WriteStartArray("fds"u8);
        json.WriteStringValue("seccompFd"u8);
        json.WriteEndArray();
        json.WriteNumber("pid"u8, _isOtherProcess && _plan->ProcessId > 0 ? _plan->ProcessId : _owner.Pid);
        json.WriteString("metadata"u8, _config.ListenerMetadata ?? "");
        json.WriteStartObject("state"u8);
        json.WriteString("ociVersion"u8, _owner.OciVersion);
        json.WriteString("id"u8, _owner.Id);
        json.WriteString("status"u8, _owner.Status);
        json.WriteNumber("pid"u8, _owner.Pid);
        json.WriteString("bundle"u8, _owner.Bundle);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan;
    }

    /// <summary>This process's id in the namespace of the /proc that is mounted, the host's until the root is entered.</summary>
    public static int OwnIdOnHost() =>
        int.TryParse(new FileInfo("/proc/self").LinkTarget, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : Environment.ProcessId;
}
