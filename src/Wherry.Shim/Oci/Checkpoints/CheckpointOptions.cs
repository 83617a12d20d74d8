using System.Globalization;
using Wherry.Errors;
using Wherry.Runtime.Checkpoints;
using Wherry.Shim.Oci.CommandLine;
using Wherry.Shim.Oci.Containers;

namespace Wherry.Shim.Oci.Checkpoints;

/// <summary>What <c>checkpoint</c> and <c>restore</c> are told alike.</summary>
public static class CheckpointOptions
{
    private const string DefaultDirectory = "checkpoint";
    private const uint NewNetwork = 0x40000000;

    public static string[] Options =>
    [
        "image-path= Directory of the images (default: checkpoint, in the working directory)",
        "work-path= Directory of CRIU's log (default: the images')",
        "tcp-established Keep open TCP connections",
        "ext-unix-sk Allow unix sockets that are connected to the outside",
        "shell-job Allow a terminal or session that is the caller's",
        "lazy-pages Move memory when it is touched",
        "file-locks Keep file locks",
        "manage-cgroups-mode= soft (default), full, strict or ignore",
        "empty-ns=* A kind of namespace not to keep what is in: network",
        "auto-dedup Free in earlier images what later ones replace",
    ];

    public static string ImagePath(ParsedOptions parsed) => CreateOptions.FullPath(parsed, "image-path") ?? Path.GetFullPath(DefaultDirectory);

    public static string WorkPath(ParsedOptions parsed) => CreateOptions.FullPath(parsed, "work-path") ?? ImagePath(parsed);

    /// <summary>The part of CRIU's options that these make up.</summary>
    /// <exception cref="WherryException">One is not supported, or has a value that is none.</exception>
    public static CriuOptions Apply(ParsedOptions parsed, CriuOptions options) => options with
    {
        TcpEstablished = parsed.IsOn("tcp-established"),
        ExternalUnixSockets = parsed.IsOn("ext-unix-sk"),
        ShellJob = parsed.IsOn("shell-job"),
        FileLocks = parsed.IsOn("file-locks"),
        AutoDedup = parsed.IsOn("auto-dedup"),
        LazyPages = parsed.IsOn("lazy-pages"),
        Cgroups = CgroupMode(parsed.Text("manage-cgroups-mode")),
        EmptyNamespaces = EmptyNamespaces(parsed.Texts("empty-ns")),
    };

    /// <summary>Refuses what is not supported, before anything is looked at.</summary>
    public static void Require(ParsedOptions parsed)
    {
        if (GlobalOptions.IsOrdinaryUser)
        {
            throw WherryException.Unsupported("checkpoint and restore are only for the host's root, who alone may have CRIU make processes as they were");
        }

        _ = CgroupMode(parsed.Text("manage-cgroups-mode"));
        _ = EmptyNamespaces(parsed.Texts("empty-ns"));
    }

    /// <summary>ADDRESS:PORT; null when none was given.</summary>
    public static (string Address, int Port)? PageServer(ParsedOptions parsed)
    {
        if (parsed.Text("page-server") is not { Length: > 0 } text)
        {
            return null;
        }

        var colon = text.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? (text[..colon].Trim('[', ']'), port)
            : throw WherryException.Invalid($"--page-server {text}: use ADDRESS:PORT to specify a page server");
    }

    private static CriuCgroupMode CgroupMode(string? text) => text switch
    {
        null or "" or "soft" => CriuCgroupMode.Soft,
        "full" => CriuCgroupMode.Full,
        "strict" => CriuCgroupMode.Strict,
        "ignore" => CriuCgroupMode.Ignore,
        _ => throw WherryException.Invalid($"invalid manage-cgroups-mode value: {text}"),
    };

    private static uint EmptyNamespaces(IReadOnlyList<string> names) => names.Aggregate(0u, (kinds, name) => name switch
    {
        "network" => kinds | NewNetwork,
        _ => throw WherryException.Invalid($"--empty-ns {name}: namespace \"{name}\" is not supported"),
    });
}
