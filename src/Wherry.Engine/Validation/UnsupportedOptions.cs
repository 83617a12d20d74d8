using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Containers;
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
        CheckMode("IPC", host.IpcMode, ["", "none", "private", "shareable", "host"], canJoin: true);
        CheckMode("PID", host.PidMode, ["", "host"], canJoin: true);
        CheckMode("UTS", host.UTSMode, ["", "host"]);
        CheckMode("cgroup namespace", host.CgroupnsMode, ["", "host", "private"]);
    }

    private static void CheckMode(string kind, string mode, string[] offered, bool canJoin = false)
    {
        if (!offered.Contains(mode) && !(canJoin && Peer.NameIn(mode) is { Length: > 0 }))
        {
            throw WherryException.Invalid($"invalid {kind} mode: {mode}");
        }
    }

    private static void Refuse(string option, bool isAsked, string? instead = null)
    {
        if (isAsked)
        {
            throw WherryException.Unsupported($"{option} is not supported" + (instead is null ? "" : $"; {instead}"));
        }
    }
}
