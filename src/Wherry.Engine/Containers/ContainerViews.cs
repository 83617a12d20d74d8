using Wherry.Api.Contracts.Containers;
using Wherry.Api.Contracts.Networks;
using Wherry.Engine.Filters;
using Wherry.Engine.Networks;
using Wherry.Engine.State;
using Wherry.Engine.Volumes;
using Wherry.Networking.Bridge;

namespace Wherry.Engine.Containers;

/// <summary>A container as the API shows it: pure functions of its record.</summary>
internal static class ContainerViews
{
    private const string ZeroTime = "0001-01-01T00:00:00Z";
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fffffff'00Z'";

    public static string Time(DateTimeOffset? time) => time is { } value ? value.UtcDateTime.ToString(TimeFormat) : ZeroTime;

    public static ContainerState State(ContainerLife life) => new()
    {
        Status = StatusWord(life.Status),
        Running = life.Status is ContainerStatus.Running or ContainerStatus.Paused,
        Paused = life.Status == ContainerStatus.Paused,
        Restarting = false,
        OOMKilled = life.OomKilled,
        Dead = false,
        Pid = life.Status is ContainerStatus.Running or ContainerStatus.Paused ? life.Pid ?? 0 : 0,
        ExitCode = life.ExitCode,
        Error = life.Error,
        StartedAt = Time(life.StartedAt),
        FinishedAt = Time(life.FinishedAt),
    };

    public static string StatusWord(ContainerStatus status) => status switch
    {
        // A start under way is not yet visible as one: either the program runs in a moment, or it never did.
        ContainerStatus.Starting => "created",
        ContainerStatus.Removing => "removing",
        _ => status.ToString().ToLowerInvariant(),
    };

    /// <summary>The words of <c>ps</c>: <c>Up 5 minutes</c>, <c>Exited (0) 2 hours ago</c>.</summary>
    public static string StatusText(ContainerLife life, DateTimeOffset now) => life.Status switch
    {
        ContainerStatus.Running => $"Up {Ago(now - life.StartedAt)}",
        ContainerStatus.Paused => $"Up {Ago(now - life.StartedAt)} (Paused)",
        ContainerStatus.Exited => $"Exited ({life.ExitCode}) {Ago(now - life.FinishedAt)} ago",
        ContainerStatus.Removing => "Removal In Progress",
        _ => "Created",
    };

    /// <summary>The command line in Docker's form: words after the first that contain a space stand in quotes.</summary>
    public static string CommandText(ContainerRecord record) => string.Join(
        ' ', CommandLine(record).Select((word, index) => index > 0 && word.Contains(' ') ? $"'{word}'" : word));

    public static IReadOnlyList<string> CommandLine(ContainerRecord record) =>
        [.. record.Config.Entrypoint ?? [], .. record.Config.Cmd ?? []];

    public static MountPoint Mount(ResolvedMount mount) => new()
    {
        Type = mount.Type switch
        {
            MountType.Bind => "bind",
            MountType.Volume => "volume",
            _ => "tmpfs",
        },
        Name = mount.Type == MountType.Volume ? mount.Name : null,
        Source = mount.Source ?? "",
        Destination = mount.Destination,
        Driver = mount.Type == MountType.Volume ? "local" : null,
        Mode = mount.Mode,
        RW = !mount.ReadOnly,
        Propagation = mount.Type == MountType.Bind ? mount.Propagation ?? "rprivate" : "",
    };

    public static IReadOnlyList<PortSummary> Ports(ContainerRecord record)
    {
        var ports = new List<PortSummary>();
        foreach (var published in record.Life.Endpoint?.Ports ?? [])
        {
            ports.Add(new PortSummary
            {
                IP = published.HostIp,
                PrivatePort = published.ContainerPort,
                PublicPort = published.HostPort,
                Type = published.Protocol,
            });
        }

        if (record.Life.Status is ContainerStatus.Running or ContainerStatus.Paused)
        {
            ports.AddRange(from port in record.Config.ExposedPorts?.Keys ?? Enumerable.Empty<string>()
                           let parsed = EndpointPlan.ParsePort(port)
                           where !ports.Exists(known => known.PrivatePort == parsed.Number && known.Type == parsed.Protocol)
                           select new PortSummary { PrivatePort = parsed.Number, Type = parsed.Protocol });
        }

        return ports;
    }

    /// <summary>What the filters of <c>ps</c> look at.</summary>
    public static ContainerFilterSubject FilterSubject(ContainerRecord record)
    {
        var network = NetworkName(record.Host);
        return new ContainerFilterSubject
        {
            Id = record.Id,
            Name = record.Name,
            Created = record.Created,
            ImageId = record.ImageId,
            Image = record.Config.Image,
            State = StatusWord(record.Life.Status),
            ExitCode = record.Life.Status == ContainerStatus.Exited ? record.Life.ExitCode : null,
            Labels = record.Config.Labels ?? [],
            Volumes = [.. record.Mounts.SelectMany(mount => new[] { mount.Name, mount.Source, mount.Destination }).OfType<string>()],
            Networks = [network, NetworkIds.Of(network)],
            Published = [.. Ports(record).Where(port => port.PublicPort is not null).Select(port => new FilterPort(port.PublicPort!.Value, port.Type))],
            Exposed = [.. (record.Config.ExposedPorts?.Keys ?? Enumerable.Empty<string>()).Select(EndpointPlan.ParsePort).Select(port => new FilterPort(port.Number, port.Protocol))],
        };
    }

    public static EndpointSettings Endpoint(ContainerRecord record, string networkId)
    {
        var endpoint = record.Life.Endpoint;
        return new EndpointSettings
        {
            NetworkID = networkId,
            EndpointID = endpoint?.EndpointId ?? "",
            Gateway = endpoint?.Gateway ?? "",
            IPAddress = endpoint?.Address ?? "",
            IPPrefixLen = endpoint?.PrefixLength ?? 0,
            MacAddress = endpoint?.MacAddress ?? "",
        };
    }

    public static NetworkSettings Network(ContainerRecord record, string networkId)
    {
        var endpoint = record.Life.Endpoint;
        var name = NetworkName(record.Host);
        return new NetworkSettings
        {
            SandboxID = endpoint?.EndpointId ?? "",
            SandboxKey = record.Life.Pid is { } pid && record.Life.IsAlive ? $"/proc/{pid}/ns/net" : "",
            Ports = PortMap(record, endpoint),
            Networks = name.StartsWith("container:", StringComparison.Ordinal)
                ? []
                : new Dictionary<string, EndpointSettings> { [name] = Endpoint(record, networkId) },
            Bridge = "",
            HairpinMode = false,
            LinkLocalIPv6Address = "",
            LinkLocalIPv6PrefixLen = 0,
            EndpointID = endpoint?.EndpointId ?? "",
            Gateway = endpoint?.Gateway ?? "",
            IPAddress = endpoint?.Address ?? "",
            IPPrefixLen = endpoint?.PrefixLength ?? 0,
            IPv6Gateway = "",
            GlobalIPv6Address = "",
            GlobalIPv6PrefixLen = 0,
            MacAddress = endpoint?.MacAddress ?? "",
        };
    }

    /// <summary>The name under which the container's network is listed; sharing another's network is shown as asked.</summary>
    public static string NetworkName(HostConfig host) => NetworkMode.Parse(host.NetworkMode).Kind switch
    {
        NetworkKind.None => "none",
        NetworkKind.Host => "host",
        NetworkKind.Container => host.NetworkMode,
        _ => "bridge",
    };

    private static Dictionary<string, IReadOnlyList<PortBinding>?> PortMap(ContainerRecord record, Endpoint? endpoint)
    {
        var map = new Dictionary<string, IReadOnlyList<PortBinding>?>(StringComparer.Ordinal);
        if (!record.Life.IsAlive)
        {
            return map;
        }

        foreach (var port in record.Config.ExposedPorts?.Keys ?? Enumerable.Empty<string>())
        {
            map[port] = null;
        }

        foreach (var group in (endpoint?.Ports ?? []).GroupBy(port => $"{port.ContainerPort}/{port.Protocol}", StringComparer.Ordinal))
        {
            map[group.Key] = [.. group.Select(port => new PortBinding { HostIp = port.HostIp, HostPort = $"{port.HostPort}" })];
        }

        return map;
    }

    /// <summary>A span in the words Docker's clients are used to.</summary>
    private static string Ago(TimeSpan? span)
    {
        var time = span ?? TimeSpan.Zero;
        return time.TotalSeconds switch
        {
            < 1 => "Less than a second",
            < 2 => "1 second",
            < 60 => $"{(int)time.TotalSeconds} seconds",
            < 120 => "About a minute",
            < 3600 => $"{(int)time.TotalMinutes} minutes",
            < 5400 => "About an hour",
            < 48 * 3600 => $"{(int)Math.Round(time.TotalHours)} hours",
            < 14 * 86400 => $"{(int)time.TotalDays} days",
            < 60 * 86400 => $"{(int)(time.TotalDays / 7)} weeks",
            < 730 * 86400d => $"{(int)(time.TotalDays / 30)} months",
            _ => $"{(int)(time.TotalDays / 365)} years",
        };
    }
}
