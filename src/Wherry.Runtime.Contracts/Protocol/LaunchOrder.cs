using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Contracts.Protocol;

/// <summary>
/// What the supervisor itself must know to make the container's first process. All the rest of the bundle's
/// configuration is read by that process's stages, whose memory is given back when the program is executed.
/// </summary>
public sealed record LaunchOrder
{
    public required SandboxLocation Location { get; init; }

    /// <summary>Namespaces to make or join.</summary>
    public required IReadOnlyList<Namespace> Namespaces { get; init; }

    public bool Terminal { get; init; }

    public bool OpenStdin { get; init; }

    public bool StdinOnce { get; init; }

    public LogFile? Log { get; init; }

    /// <summary>The bundle has hooks or network devices, which are the supervisor's work; it then has to read it.</summary>
    public bool HasMakersWork { get; init; }

    /// <summary>
    /// The root file system is the supervisor's to make, as a program serves it that is not to be the container's; it then
    /// has to read the bundle.
    /// </summary>
    public bool MakesRoot { get; init; }

    /// <summary>Signals and tracing are to end at the container's border, see <see cref="CanBeScoped"/>.</summary>
    public bool IsScoped { get; init; }

    /// <summary>
    /// Whether a container has no business with processes outside: it sees only its own, shares no namespace with another
    /// container, was not given the right to trace, and has no hooks, which are the host's programs.
    /// </summary>
    public static bool CanBeScoped(Spec spec) =>
        spec.Linux?.Namespaces is { } namespaces
        && namespaces.Any(ns => ns.Type == "pid")
        && namespaces.All(ns => string.IsNullOrEmpty(ns.Path))
        && spec.Process?.Capabilities?.Bounding.Contains("CAP_SYS_PTRACE") is not true
        && spec.Hooks is null;

    public static LaunchOrder For(SandboxRequest request) => new()
    {
        Location = request.Location,
        Namespaces = request.Spec.Linux?.Namespaces ?? [],
        Terminal = request.Spec.Process?.Terminal ?? false,
        OpenStdin = request.Options.OpenStdin,
        StdinOnce = request.Options.StdinOnce,
        Log = request.Options.Log,
        HasMakersWork = request.Spec.Hooks is not null || request.Spec.Linux?.NetDevices is not null,
        MakesRoot = request.Options.Rootfs.Any(mount => mount.Type == "fuse-overlayfs"),
        IsScoped = CanBeScoped(request.Spec),
    };

    public void WriteTo(WireWriter writer)
    {
        writer.Write(Location.Id);
        writer.Write(Location.BundleDirectory);
        writer.Write(Location.StateDirectory);
        writer.Write(Location.CgroupsPath);
        writer.Write(Namespaces.Count);
        foreach (var ns in Namespaces)
        {
            writer.Write(ns.Type);
            writer.Write(ns.Path);
        }

        writer.Write(Terminal);
        writer.Write(OpenStdin);
        writer.Write(StdinOnce);
        writer.Write(Log?.Path);
        writer.Write(Log?.MaxSizeBytes ?? 0);
        writer.Write(Log?.MaxFiles ?? 0);
        writer.Write(HasMakersWork);
        writer.Write(MakesRoot);
        writer.Write(IsScoped);
    }

    public static LaunchOrder ReadFrom(ref WireReader reader)
    {
        var location = new SandboxLocation(reader.ReadString(), reader.ReadString(), reader.ReadString(), reader.ReadString());
        var namespaces = new Namespace[reader.ReadCount()];
        for (var i = 0; i < namespaces.Length; i++)
        {
            namespaces[i] = new Namespace(reader.ReadString(), reader.ReadOptionalString());
        }

        var terminal = reader.ReadBool();
        var openStdin = reader.ReadBool();
        var stdinOnce = reader.ReadBool();
        var path = reader.ReadOptionalString();
        var maxSize = reader.ReadInt64();
        var maxFiles = reader.ReadInt32();
        return new LaunchOrder
        {
            Location = location,
            Namespaces = namespaces,
            Terminal = terminal,
            OpenStdin = openStdin,
            StdinOnce = stdinOnce,
            Log = path is null ? null : new LogFile(path, maxSize, maxFiles),
            HasMakersWork = reader.ReadBool(),
            MakesRoot = reader.ReadBool(),
            IsScoped = reader.ReadBool(),
        };
    }
}
