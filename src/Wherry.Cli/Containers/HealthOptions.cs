using Wherry.Api.Contracts.Containers;
using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Containers;

/// <summary>The <c>--health-*</c> options.</summary>
internal static class HealthOptions
{
    internal static HealthConfig? Build(ContainerOptions options, Invocation given)
    {
        var any = given.Has(options.HealthCmd) || given.Has(options.HealthInterval) || given.Has(options.HealthTimeout)
            || given.Has(options.HealthStartPeriod) || given.Has(options.HealthStartInterval) || given.Has(options.HealthRetries);
        if (given.Is(options.NoHealthcheck))
        {
            return any
                ? throw new UsageException("--no-healthcheck conflicts with --health-* options")
                : new HealthConfig { Test = ["NONE"] };
        }

        if (!any)
        {
            return null;
        }

        long Time(ValueOption option) => given.Nanoseconds(option) switch
        {
            null => 0,
            < 0 => throw new UsageException($"{option.Name} cannot be negative"),
            { } time => time,
        };

        var retries = given.Number(options.HealthRetries) ?? 0;
        return new HealthConfig
        {
            Test = given.Text(options.HealthCmd) is { Length: > 0 } command ? ["CMD-SHELL", command] : null,
            Interval = Time(options.HealthInterval),
            Timeout = Time(options.HealthTimeout),
            StartPeriod = Time(options.HealthStartPeriod),
            StartInterval = Time(options.HealthStartInterval),
            Retries = retries < 0 ? throw new UsageException("--health-retries cannot be negative") : (int)retries,
        };
    }
}
