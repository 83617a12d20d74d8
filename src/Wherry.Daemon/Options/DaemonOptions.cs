using Wherry.Daemon.Logging;
using Wherry.Daemon.Rootless;
using Wherry.Engine.UserNamespaces;
using Wherry.Errors;
using Wherry.Images.Distribution;

namespace Wherry.Daemon.Options;

/// <summary>How one engine is to run: command line and configuration file together.</summary>
internal sealed record DaemonOptions
{
    public string DataRoot { get; init; } = UserDirectories.AreMeant ? UserDirectories.DataRoot : "/var/lib/wherry";

    /// <summary>Empty where an ordinary user has no place for it and named none.</summary>
    public string ExecRoot { get; init; } = UserDirectories.AreMeant ? UserDirectories.ExecRoot ?? "" : "/run/wherry";

    /// <summary>As given; empty for the socket in <see cref="ExecRoot"/>.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Null for <c>wherryd.pid</c> in <see cref="ExecRoot"/>.</summary>
    public string? PidFile { get; init; }

    public string Bridge { get; init; } = "wherry0";

    public string? Bip { get; init; }

    public string CgroupParent { get; init; } = "wherry";

    public string? StorageDriver { get; init; }

    /// <summary>Bytes; null for what the disk has.</summary>
    public long? RootSize { get; init; }

    public LogLevel LogLevel { get; init; } = LogLevel.Info;

    public bool Debug { get; init; }

    /// <summary>The group that may use unix sockets; null for <c>wherry</c> or <c>docker</c>, whichever exists; empty for root alone.</summary>
    public string? Group { get; init; }

    /// <summary><c>key=value</c>.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>The user namespace of containers that ask for none.</summary>
    public string UserNamespaces { get; init; } = "host";

    /// <summary>dockerd's way to say so: <c>default</c> or <c>USER[:GROUP]</c>; null where it is not used.</summary>
    public string? UserNamespaceRemap { get; init; }

    /// <summary>Where their ids come from; null for what the host's files say.</summary>
    public SubordinateIds? SubordinateIds { get; init; }

    /// <summary>Null looks beside this executable, then in <c>/usr/libexec/wherry</c>.</summary>
    public string? ShimPath { get; init; }

    /// <summary>When images go by themselves.</summary>
    public Engine.Cleaning.ImageGcOptions ImageGc { get; init; } = new();

    /// <summary>Mirrors, insecure registries, rules, limits.</summary>
    public RegistryOptions Registries { get; init; } = new();

    public IReadOnlyList<string> EffectiveHosts => Hosts.Count > 0 ? Hosts : ["unix://" + Path.Combine(ExecRoot, "wherry.sock")];

    /// <exception cref="WherryException">InvalidParameter: both options are given, or the host's files have no such user.</exception>
    public string EffectiveUserNamespaces() => UserNamespaceRemap switch
    {
        null => UserNamespaces,
        _ when UserNamespaces != "host" => throw WherryException.Invalid("userns and userns-remap both say which user namespace containers get: use one of them"),
        var remap => Wherry.Engine.UserNamespaces.SubordinateIds.ModeOf(remap),
    };

    public string EffectivePidFile => PidFile ?? Path.Combine(ExecRoot, "wherryd.pid");
}
