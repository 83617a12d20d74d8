using Wherry.Api.Contracts.Containers;
using Wherry.Errors;

namespace Wherry.Engine.Validation;

/// <summary>Options that Docker has and this engine does not: each is refused by its name rather than passed over in silence.</summary>
internal static class UnsupportedOptions
{
    private static readonly string[] RestartPolicies = ["always", "unless-stopped", "on-failure"];

    /// <exception cref="WherryException">Unsupported, or InvalidParameter where Docker doesn't know the value either.</exception>
    public static void Check(ContainerCreateRequest asked, HostConfig host)
    {
        CheckRestart(host);
        CheckNamespaces(host);
        Refuse("--health-cmd", asked.Healthcheck?.Test is { Count: > 0 } and not ["NONE"], "HEALTHCHECK of images is kept and not run");
        Refuse("--gpus", host.DeviceRequests is { Count: > 0 });
        Refuse("--link", host.Links is { Count: > 0 }, "containers reach one another by address");
        Refuse("--storage-opt", host.StorageOpt is { Count: > 0 });
        Refuse("--isolation", host.Isolation is not ("" or "default" or "process"));
        if (host.Runtime is { Length: > 0 } runtime && runtime != "wherry")
        {
            throw WherryException.Invalid($"unknown or invalid runtime name: {runtime}");
        }
    }

    private static void CheckRestart(HostConfig host)
    {
        var policy = host.RestartPolicy.Name;
        if (policy is "" or "no")
        {
            return;
        }

        if (!RestartPolicies.Contains(policy))
        {
            throw WherryException.Invalid($"invalid restart policy: unknown policy '{policy}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'");
        }

        if (host.AutoRemove)
        {
            throw WherryException.Invalid("can't create 'AutoRemove' container with restart policy");
        }

        throw WherryException.Unsupported($"restart policy \"{policy}\" is not supported; use --restart no");
    }

    private static void CheckNamespaces(HostConfig host)
    {
        CheckMode("IPC", "--ipc", host.IpcMode, ["", "none", "private", "shareable", "host"]);
        CheckMode("PID", "--pid", host.PidMode, ["", "host"]);
        CheckMode("UTS", "--uts", host.UTSMode, ["", "host"]);
        CheckMode("user namespace", "--userns", host.UsernsMode, ["", "host"]);
        CheckMode("cgroup namespace", "--cgroupns", host.CgroupnsMode, ["", "host", "private"]);
    }

    private static void CheckMode(string kind, string option, string mode, string[] offered)
    {
        if (offered.Contains(mode))
        {
            return;
        }

        throw mode.StartsWith("container:", StringComparison.Ordinal)
            ? WherryException.Unsupported($"{option} {mode} is not supported; only networks can be shared between containers")
            : WherryException.Invalid($"invalid {kind} mode: {mode}");
    }

    private static void Refuse(string option, bool isAsked, string? instead = null)
    {
        if (isAsked)
        {
            throw WherryException.Unsupported($"{option} is not supported" + (instead is null ? "" : $"; {instead}"));
        }
    }
}
