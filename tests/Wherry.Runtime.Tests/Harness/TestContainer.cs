using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Wherry.Engine.Isolation;
using Wherry.Linux.Cgroups;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.Tests.Harness;

/// <summary>One container of the tests, by way of the engine's own isolation. Disposing leaves nothing.</summary>
public sealed class TestContainer : IAsyncDisposable
{
    private static int LastNumber;

    private static readonly string[] DefaultCapabilities =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
    ];

    private readonly IIsolation _isolation;

    private TestContainer(SandboxRequest request, RuntimeMode mode)
    {
        Request = request;
        _isolation = new ProcessIsolation(mode == RuntimeMode.Rootless ? RootlessUser.ShimPath : TestHost.ShimPath);
    }

    public SandboxRequest Request { get; }

    public SandboxLocation Location => Request.Location;

    public ISandbox Sandbox { get; private set; } = null!;

    public string LogPath => Request.Options.Log!.Path;

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The capabilities Docker gives by default.</summary>
    public static Capabilities Capabilities { get; } = new() { Bounding = DefaultCapabilities, Effective = DefaultCapabilities, Permitted = DefaultCapabilities };

    public static TestContainer Prepare(string[] args, Func<SandboxRequest, SandboxRequest>? change = null, RuntimeMode mode = RuntimeMode.Root)
    {
        TestHost.Require();
        if (mode == RuntimeMode.Rootless)
        {
            RootlessUser.Require();
        }

        var id = $"t{Environment.ProcessId}-{Interlocked.Increment(ref LastNumber)}";
        var bundle = Path.Combine(TestHost.Directory, id, "bundle");
        foreach (var name in (string[])["upper", "work", "rootfs"])
        {
            Directory.CreateDirectory(Path.Combine(bundle, name));
        }

        var request = new SandboxRequest
        {
            Location = new SandboxLocation(id, bundle, Path.Combine(TestHost.Directory, id, "state"), $"{TestHost.CgroupParent}/{id}"),
            Spec = DefaultSpec(args, bundle, $"{TestHost.CgroupParent}/{id}"),
            Options = new SandboxOptions
            {
                Rootfs =
                [
                    new RootfsMount
                    {
                        Type = "overlay",
                        LowerDirectories = [TestHost.RootFilesystem],
                        UpperDirectory = Path.Combine(bundle, "upper"),
                        WorkDirectory = Path.Combine(bundle, "work"),
                    },
                ],
                Log = new LogFile(Path.Combine(bundle, "log"), 0, 1),
            },
        };
        request = mode switch
        {
            RuntimeMode.UserNamespaced => WithNamespaces(Mapped(request), new Namespace("user")),
            RuntimeMode.Rootless => RootlessUser.Adapt(request),
            _ => request,
        };
        return new TestContainer(change is null ? request : change(request), mode);
    }

    public static async Task<TestContainer> CreateAsync(string[] args, Func<SandboxRequest, SandboxRequest>? change = null, RuntimeMode mode = RuntimeMode.Root)
    {
        var container = Prepare(args, change, mode);
        try
        {
            container.Sandbox = await container._isolation.CreateAsync(container.Request, Cancel);
            return container;
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }

    public static async Task<TestContainer> StartAsync(string[] args, Func<SandboxRequest, SandboxRequest>? change = null, RuntimeMode mode = RuntimeMode.Root)
    {
        var container = await CreateAsync(args, change, mode);
        try
        {
            await container.Sandbox.StartAsync(Cancel);
            return container;
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a shell script to its end and returns what it wrote to standard output.</summary>
    public static async Task<string> OutputOfAsync(string script, Func<SandboxRequest, SandboxRequest>? change = null, RuntimeMode mode = RuntimeMode.Root)
    {
        await using var container = await StartAsync(["sh", "-c", script], change, mode);
        await container.ExitAsync();
        return container.Log("stdout");
    }

    public static SandboxRequest WithProcess(SandboxRequest request, Func<Process, Process> change) =>
        request with { Spec = request.Spec with { Process = change(request.Spec.Process!) } };

    public static SandboxRequest WithLinux(SandboxRequest request, Func<LinuxConfig, LinuxConfig> change) =>
        request with { Spec = request.Spec with { Linux = change(request.Spec.Linux!) } };

    public static SandboxRequest WithOptions(SandboxRequest request, Func<SandboxOptions, SandboxOptions> change) =>
        request with { Options = change(request.Options) };

    /// <summary>With mappings to ids of the host that are nobody's, and a root file system that shows them.</summary>
    public static SandboxRequest Mapped(SandboxRequest request) => WithOptions(
        WithLinux(request, linux => linux with
        {
            UidMappings = [new IdMapping(0, 200_000, 65_536)],
            GidMappings = [new IdMapping(0, 300_000, 65_536)],
        }),
        options => options with { Rootfs = [options.Rootfs[0] with { IdMapped = true }] });

    public static SandboxRequest WithNamespaces(SandboxRequest request, params Namespace[] changed) => WithLinux(request, linux => linux with
    {
        Namespaces = [.. linux.Namespaces.Where(ns => !changed.Any(other => other.Type == ns.Type)), .. changed],
    });

    public async Task<ExitRecord> ExitAsync() => await Sandbox.Exit.WaitAsync(TimeSpan.FromSeconds(20), Cancel);

    /// <summary>All that was logged of a stream, put together.</summary>
    public string Log(string stream) => string.Concat(LogLines().Where(line => line.Stream == stream).Select(line => line.Text));

    public IEnumerable<(string Text, string Stream, DateTimeOffset Time)> LogLines(string suffix = "")
    {
        foreach (var line in File.ReadLines(LogPath + suffix))
        {
            using var json = JsonDocument.Parse(line);
            yield return (json.RootElement.GetProperty("log").GetString()!, json.RootElement.GetProperty("stream").GetString()!, json.RootElement.GetProperty("time").GetDateTimeOffset());
        }
    }

    /// <summary>Runs a program inside to its end.</summary>
    public async Task<(int Code, string Stdout, string Stderr)> ExecAsync(string[] args, Func<ExecRequest, ExecRequest>? change = null)
    {
        var request = new ExecRequest(Program(args), null, new StreamSelection(false, true, true), Detach: false);
        await using var exec = await Sandbox.ExecAsync(change is null ? request : change(request), Cancel);
        var (stdout, stderr) = await ReadFramesAsync(exec.Streams!.Stream);
        await exec.Streams.DisposeAsync();
        return (await exec.Exit.WaitAsync(TimeSpan.FromSeconds(30), Cancel), stdout, stderr);
    }

    public static Process Program(string[] args) => new() { Args = args, Env = ["PATH=/bin"], Capabilities = Capabilities };

    /// <summary>Reads Docker's multiplexed frames to the end.</summary>
    public static async Task<(string Stdout, string Stderr)> ReadFramesAsync(Stream stream)
    {
        var texts = new[] { new MemoryStream(), new MemoryStream(), new MemoryStream() };
        var header = new byte[8];
        while (await stream.ReadAtLeastAsync(header, 8, throwOnEndOfStream: false, Cancel) == 8)
        {
            var payload = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4))];
            await stream.ReadExactlyAsync(payload, Cancel);
            texts[header[0]].Write(payload);
        }

        return (Encoding.UTF8.GetString(texts[1].ToArray()), Encoding.UTF8.GetString(texts[2].ToArray()));
    }

    /// <summary>Lets go of the connection, as an engine that is killed does, and takes it up again.</summary>
    public async Task<ISandbox?> ReattachAsync()
    {
        await Sandbox.DisposeAsync();
        var again = await _isolation.ReattachAsync(Location, Cancel);
        if (again is not null)
        {
            Sandbox = again;
        }

        return again;
    }

    public ExitRecord? ExitRecord() => _isolation.ReadExitRecord(Location);

    public Task CleanUpAsync() => _isolation.CleanUpAsync(Location, Cancel);

    /// <summary>What of the container is still on the host.</summary>
    public IEnumerable<string> Remains()
    {
        var directories = CgroupHost.Detect().Locate(Location.CgroupsPath).All.Append(Location.StateDirectory).Where(Directory.Exists);
        return directories.Concat(File.ReadLines("/proc/self/mounts").Where(line => line.Contains(Location.Id, StringComparison.Ordinal)));
    }

    public async ValueTask DisposeAsync()
    {
        if (Sandbox is not null)
        {
            await Sandbox.DisposeAsync();
        }

        await _isolation.CleanUpAsync(Location, CancellationToken.None);
        Directory.Delete(Path.Combine(TestHost.Directory, Location.Id), recursive: true);
    }

    private static Spec DefaultSpec(string[] args, string bundle, string cgroup) => new()
    {
        Root = new Root { Path = Path.Combine(bundle, "rootfs") },
        Hostname = "box",
        Process = Program(args),
        Mounts =
        [
            new() { Destination = "/proc", Type = "proc", Source = "proc", Options = ["nosuid", "noexec", "nodev"] },
            new() { Destination = "/dev", Type = "tmpfs", Source = "tmpfs", Options = ["nosuid", "strictatime", "mode=755", "size=65536k"] },
            new() { Destination = "/dev/pts", Type = "devpts", Source = "devpts", Options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
            new() { Destination = "/sys", Type = "sysfs", Source = "sysfs", Options = ["nosuid", "noexec", "nodev", "ro"] },
            new() { Destination = "/sys/fs/cgroup", Type = "cgroup", Source = "cgroup", Options = ["ro", "nosuid", "noexec", "nodev"] },
            new() { Destination = "/dev/shm", Type = "tmpfs", Source = "shm", Options = ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"] },
        ],
        Linux = new LinuxConfig
        {
            CgroupsPath = cgroup,
            Namespaces = [new("pid"), new("mount"), new("ipc"), new("uts"), new("network"), new("cgroup")],
            Resources = new Resources { Devices = [new(false, Access: "rwm"), .. AllowedDevices] },
            MaskedPaths = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware", "/proc/does-not-exist"],
            ReadonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    };

    private static readonly DeviceRule[] AllowedDevices =
    [
        new(true, "c", 1, 3, "rwm"), new(true, "c", 1, 5, "rwm"), new(true, "c", 1, 7, "rwm"), new(true, "c", 1, 8, "rwm"),
        new(true, "c", 1, 9, "rwm"), new(true, "c", 5, 0, "rwm"), new(true, "c", 5, 2, "rwm"), new(true, "c", 136, null, "rwm"),
    ];
}
