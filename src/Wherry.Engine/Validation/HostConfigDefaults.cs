using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Specs;

namespace Wherry.Engine.Validation;

/// <summary>Fills in the defaults that Docker's inspect shows in a host configuration.</summary>
public static class HostConfigDefaults
{
    public static HostConfig Apply(HostConfig asked, HostFacts host) => asked with
    {
        NetworkMode = asked.NetworkMode is "" or "default" ? "bridge" : asked.NetworkMode,
        IpcMode = asked.IpcMode.Length == 0 ? "private" : asked.IpcMode,
        CgroupnsMode = asked.CgroupnsMode.Length > 0 ? asked.CgroupnsMode : host.IsCgroupUnified ? "private" : "host",
        ShmSize = asked.ShmSize == 0 ? MountPlan.DefaultShmSize : asked.ShmSize,
        MemorySwap = asked is { Memory: > 0 and <= long.MaxValue / 2, MemorySwap: 0 } ? asked.Memory * 2 : asked.MemorySwap,
        RestartPolicy = asked.RestartPolicy.Name.Length == 0 ? asked.RestartPolicy with { Name = "no" } : asked.RestartPolicy,
        LogConfig = asked.LogConfig.Type.Length == 0 ? asked.LogConfig with { Type = LogOptions.JsonFile } : asked.LogConfig,
        MaskedPaths = asked.Privileged ? null : asked.MaskedPaths ?? HidingPaths.Masked,
        ReadonlyPaths = asked.Privileged ? null : asked.ReadonlyPaths ?? HidingPaths.Readonly,
    };
}
