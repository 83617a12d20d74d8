using Wherry.Api.Contracts.Containers;
using Wherry.Oci.Images;

namespace Wherry.Engine.Validation;

/// <summary>Fills in what a client left open from the image, with Docker's rules.</summary>
public static class ConfigMerge
{
    /// <summary>A configuration without open ends: what a container keeps and inspect shows.</summary>
    /// <param name="asked">The client's; a create request counts as one.</param>
    /// <param name="image">The image the container is made from.</param>
    public static ContainerConfig WithImageDefaults(ContainerConfig asked, ImageConfig image)
    {
        var defaults = image.Config ?? new ExecutionParameters();
        var (entrypoint, cmd) = Command(asked, defaults);

        // Not `asked with`: a create request's own members must not ride along into the record.
        return new ContainerConfig
        {
            Hostname = asked.Hostname,
            Domainname = asked.Domainname,
            User = Either(asked.User, defaults.User),
            AttachStdin = asked.AttachStdin,
            AttachStdout = asked.AttachStdout,
            AttachStderr = asked.AttachStderr,
            ExposedPorts = Union(asked.ExposedPorts, defaults.ExposedPorts?.Keys),
            Tty = asked.Tty,
            OpenStdin = asked.OpenStdin,
            StdinOnce = asked.StdinOnce,
            Env = Environment(asked.Env ?? [], defaults.Env ?? []),
            Cmd = cmd,
            Healthcheck = asked.Healthcheck ?? Convert(defaults.Healthcheck),
            ArgsEscaped = asked.ArgsEscaped,
            Image = asked.Image,
            Volumes = Union(asked.Volumes, defaults.Volumes?.Keys),
            WorkingDir = Either(asked.WorkingDir, defaults.WorkingDir),
            Entrypoint = entrypoint,
            NetworkDisabled = asked.NetworkDisabled,
            MacAddress = asked.MacAddress,
            OnBuild = asked.OnBuild,
            Labels = Labels(asked.Labels, defaults.Labels),
            StopSignal = Either(asked.StopSignal, defaults.StopSignal) is { Length: > 0 } signal ? signal : null,
            StopTimeout = asked.StopTimeout ?? defaults.StopTimeout,
            Shell = asked.Shell ?? defaults.Shell,
        };
    }

    /// <summary>
    /// The image's command belongs to the image's entrypoint: a new entrypoint drops it. <c>[""]</c> stands for
    /// no entrypoint at all.
    /// </summary>
    private static (IReadOnlyList<string>? Entrypoint, IReadOnlyList<string>? Cmd) Command(ContainerConfig asked, ExecutionParameters defaults)
    {
        var entrypoint = asked.Entrypoint;
        var cmd = asked.Cmd;
        if (entrypoint is null or [])
        {
            cmd = cmd is null or [] ? defaults.Cmd : cmd;
            entrypoint ??= defaults.Entrypoint;
        }

        return (entrypoint is [""] ? null : entrypoint, cmd);
    }

    /// <summary>The client's first, then those of the image that the client neither sets nor takes out.</summary>
    private static IReadOnlyList<string> Environment(IReadOnlyList<string> asked, IReadOnlyList<string> image)
    {
        var names = asked.Select(NameOf).ToHashSet(StringComparer.Ordinal);
        return [.. asked, .. image.Where(variable => !names.Contains(NameOf(variable)))];
    }

    private static string NameOf(string variable)
    {
        var equals = variable.IndexOf('=');
        return equals < 0 ? variable : variable[..equals];
    }

    private static string Either(string? asked, string? image) => string.IsNullOrEmpty(asked) ? image ?? "" : asked;

    private static Dictionary<string, Api.Contracts.Json.EmptyObject>? Union(
        Dictionary<string, Api.Contracts.Json.EmptyObject>? asked, IEnumerable<string>? image)
    {
        var union = new Dictionary<string, Api.Contracts.Json.EmptyObject>(asked ?? [], StringComparer.Ordinal);
        foreach (var key in image ?? [])
        {
            union.TryAdd(key, new Api.Contracts.Json.EmptyObject());
        }

        return union.Count > 0 ? union : null;
    }

    private static Dictionary<string, string> Labels(Dictionary<string, string>? asked, IReadOnlyDictionary<string, string>? image)
    {
        var labels = new Dictionary<string, string>(asked ?? [], StringComparer.Ordinal);
        foreach (var (name, value) in image ?? new Dictionary<string, string>())
        {
            labels.TryAdd(name, value);
        }

        return labels;
    }

    /// <summary>Kept so that inspect and commit show what the image says; probes are not run.</summary>
    private static HealthConfig? Convert(Healthcheck? image) => image is null
        ? null
        : new HealthConfig
        {
            Test = image.Test,
            Interval = image.Interval ?? 0,
            Timeout = image.Timeout ?? 0,
            StartPeriod = image.StartPeriod ?? 0,
            StartInterval = image.StartInterval ?? 0,
            Retries = image.Retries ?? 0,
        };
}
