using Wherry.Daemon.Logging;
using Wherry.Engine.UserNamespaces;
using Wherry.Engine.Validation;
using Wherry.Errors;
using Wherry.Images.Distribution;

namespace Wherry.Daemon.Options;

/// <summary>One option: how it is spelt on the command line and in the configuration file, and what it sets.</summary>
/// <param name="Name">Long name without dashes.</param>
/// <param name="Short">One letter; null for none.</param>
/// <param name="Value">What the value is called in the usage; null for a switch.</param>
/// <param name="Help">One line.</param>
/// <param name="Apply">Sets the value; a switch gets <c>true</c> or <c>false</c>. Called once per value of a list.</param>
internal sealed record OptionDefinition(string Name, char? Short, string? Value, string Help, Func<DaemonOptions, string, DaemonOptions> Apply)
{
    /// <summary>The key in the configuration file, where it differs from the name: lists are in the plural there.</summary>
    public string FileKey { get; init; } = Name;

    public bool IsList { get; init; }

    /// <summary>In the configuration file the value is an object, on the command line its JSON.</summary>
    public bool IsObject { get; init; }

    public bool IsNumber { get; init; }

    public bool IsSwitch => Value is null;

    public static IReadOnlyList<OptionDefinition> All { get; } =
    [
        new("data-root", null, "DIR", "Images, containers and volumes\n(default /var/lib/wherry; without root ~/.local/share/wherry)", (options, value) => options with { DataRoot = Absolute("data-root", value) }),
        new("exec-root", null, "DIR", "Sockets and live state\n(default /run/wherry; without root $XDG_RUNTIME_DIR/wherry)", (options, value) => options with { ExecRoot = Absolute("exec-root", value) }),
        new("host", 'H', "ADDRESS", "Where to listen: unix://PATH or tcp://127.0.0.1:PORT; may be repeated\n(default unix://EXEC-ROOT/wherry.sock)", (options, value) => options with { Hosts = [.. options.Hosts, value] })
        { FileKey = "hosts", IsList = true },
        new("pidfile", 'p', "FILE", "Where to write the process id (default EXEC-ROOT/wherryd.pid)", (options, value) => options with { PidFile = Absolute("pidfile", value) }),
        new("bridge", 'b', "NAME", "The bridge containers are plugged into (default wherry0)", (options, value) => options with { Bridge = BridgeName(value) }),
        new("bip", null, "CIDR", "The bridge's address, such as 172.20.0.1/16 (default: a free one)", (options, value) => options with { Bip = value }),
        new("cgroup-parent", null, "PATH", "The cgroup of all containers (default wherry)", (options, value) => options with { CgroupParent = value }),
        new("storage-driver", 's', "NAME", "How layers are stored: overlay, fuse-overlayfs, btrfs\nor vfs (default: as they are, or else what works)", (options, value) => options with { StorageDriver = value }),
        new("storage-opt", null, "size=SIZE", "What a container can write over its image, where it asks for no size itself\n(default: what the disk has; takes project quotas or btrfs)", (options, value) => options with { RootSize = Size(value) })
        { FileKey = "storage-opts", IsList = true },
        new("log-level", 'l', "LEVEL", "debug, info, warn, error or fatal (default info)", (options, value) => options with { LogLevel = Level(value) }),
        new("debug", 'D', null, "The same as --log-level debug", (options, value) => options with { Debug = Boolean("debug", value) }),
        new("group", 'G', "GROUP", "Who may use the unix sockets besides root\n(default: wherry or docker, where such a group exists)", (options, value) => options with { Group = value }),
        new("label", null, "KEY=VALUE", "A label of this engine; may be repeated", (options, value) => options with { Labels = [.. options.Labels, Label(value)] })
        { FileKey = "labels", IsList = true },
        new("registry-mirror", null, "URL", "Asked before Docker's registry: https://HOST[:PORT][/PREFIX]; may be repeated", (options, value) => options with { Registries = options.Registries with { Mirrors = [.. options.Registries.Mirrors, RegistryRules.CheckMirror(value)] } })
        { FileKey = "registry-mirrors", IsList = true },
        new("insecure-registry", null, "HOST", "A registry without a valid certificate, or without TLS:\nHOST[:PORT] or a range of addresses; may be repeated", (options, value) => options with { Registries = options.Registries with { InsecureRegistries = [.. options.Registries.InsecureRegistries, value] } })
        { FileKey = "insecure-registries", IsList = true },
        new("registries", null, "JSON", "Rules by registry: mirrors, location, insecure, signed-by", (options, value) => options with { Registries = options.Registries with { Registries = RegistryRules.Parse(value) } })
        { IsObject = true },
        new("max-concurrent-downloads", null, "NUMBER", "Layers fetched at once (default 3)", (options, value) => options with { Registries = options.Registries with { MaxConcurrentDownloads = Number("max-concurrent-downloads", value) } })
        { IsNumber = true },
        new("max-concurrent-uploads", null, "NUMBER", "Layers sent at once, of each push (default 5)", (options, value) => options with { Registries = options.Registries with { MaxConcurrentUploads = Number("max-concurrent-uploads", value) } })
        { IsNumber = true },
        new("image-gc", null, "JSON", "Remove unused images: unused-for, keep-free, tagged, every\n(default: none goes by itself)", (options, value) => options with { ImageGc = ImageGcOption.Parse(value) })
        { IsObject = true },
        new("userns", null, "MODE", "User namespace of containers that ask for none: host, auto, keep-id\nor FIRST:COUNT (default host)", (options, value) => options with { UserNamespaces = UserNamespace(value) }),
        new("userns-remap", null, "USER[:GROUP]", "The same as --userns with that user's ids in /etc/subuid and /etc/subgid;\ndefault is auto", (options, value) => options with { UserNamespaceRemap = value.Length == 0 ? null : value }),
        new("userns-ids", null, "FIRST:COUNT", "Where auto and keep-id take ids of the host (default: the entries of wherry\nor containers in /etc/subuid and /etc/subgid, or else 2147483648:2147418112)", (options, value) => options with { SubordinateIds = SubordinateIds.Of(value) }),
        new("shim-path", null, "FILE", "wherry-shim's executable\n(default: beside wherryd, then in /usr/libexec/wherry)", (options, value) => options with { ShimPath = Absolute("shim-path", value) }),
    ];

    private static string Absolute(string name, string path) => path.StartsWith('/')
        ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))
        : throw WherryException.Invalid($"{name}: \"{path}\" must be an absolute path");

    /// <summary>The kernel's rule for names of links: up to 15 bytes without slash, colon or white space.</summary>
    private static string BridgeName(string name) => name.Length is > 0 and <= 15 && name is not ("." or "..") && !name.Any(c => c is '/' or ':' || char.IsWhiteSpace(c))
        ? name
        : throw WherryException.Invalid($"bridge: \"{name}\" can't name a network link: it must have 1 to 15 characters without '/', ':' and spaces");

    private static string UserNamespace(string mode) => UserNamespaceMode.Parse(mode).Kind == UserNamespaceKind.Container
        ? throw WherryException.Invalid($"userns: \"{mode}\" can't be what every container gets")
        : mode;

    private static int Number(string name, string value) =>
        int.TryParse(value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 100
            ? number
            : throw WherryException.Invalid($"{name}: \"{value}\" must be a whole number from 1 to 100");

    /// <summary>With dockerd's names for its own drivers' options, too.</summary>
    private static long Size(string option) => option.Split('=', 2) is ["size" or "overlay2.size", var size]
        ? RootSize.Parse("storage-opt", size)
        : throw WherryException.Invalid($"storage-opt: \"{option}\" is unknown: use size=SIZE");

    private static string Label(string label) => label.IndexOf('=') > 0
        ? label
        : throw WherryException.Invalid($"label: \"{label}\" must have the form key=value");

    private static LogLevel Level(string value) => LogLevels.TryParse(value)
        ?? throw WherryException.Invalid($"log-level: \"{value}\" is unknown: use debug, info, warn, error or fatal");

    private static bool Boolean(string name, string value) => value switch
    {
        "true" or "1" => true,
        "false" or "0" => false,
        _ => throw WherryException.Invalid($"{name}: \"{value}\" must be true or false"),
    };
}
