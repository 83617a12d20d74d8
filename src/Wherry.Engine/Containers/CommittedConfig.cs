using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Validation;
using Wherry.Oci.Images;

namespace Wherry.Engine.Containers;

/// <summary>The configuration of an image made from a container.</summary>
internal static class CommittedConfig
{
    /// <param name="container">The container's own configuration.</param>
    /// <param name="asked">What the client wants changed; wins wherever it says anything.</param>
    public static ExecutionParameters Make(ContainerConfig container, ContainerConfig? asked)
    {
        var own = ToImage(container);
        return asked is null
            ? own
            : ToImage(ConfigMerge.WithImageDefaults(asked, new ImageConfig { Architecture = "", Os = "linux", Config = own }));
    }

    private static ExecutionParameters ToImage(ContainerConfig config) => new()
    {
        User = NullIfEmpty(config.User),
        ExposedPorts = config.ExposedPorts?.Keys.ToDictionary(port => port, _ => EmptyObject.Value, StringComparer.Ordinal),
        Env = config.Env,
        Cmd = config.Cmd,
        Healthcheck = config.Healthcheck is { } health
            ? new Healthcheck
            {
                Test = health.Test,
                Interval = health.Interval,
                Timeout = health.Timeout,
                StartPeriod = health.StartPeriod,
                StartInterval = health.StartInterval,
                Retries = health.Retries,
            }
            : null,
        ArgsEscaped = config.ArgsEscaped ? true : null,
        Volumes = config.Volumes?.Keys.ToDictionary(path => path, _ => EmptyObject.Value, StringComparer.Ordinal),
        WorkingDir = NullIfEmpty(config.WorkingDir),
        Entrypoint = config.Entrypoint,
        OnBuild = config.OnBuild,
        Labels = config.Labels,
        StopSignal = NullIfEmpty(config.StopSignal),
        StopTimeout = config.StopTimeout,
        Shell = config.Shell,
    };

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
