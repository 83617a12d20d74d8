using System.Globalization;
using Wherry.Errors;

namespace Wherry.Engine.UserNamespaces;

/// <summary>A parsed <c>HostConfig.UsernsMode</c>.</summary>
public sealed record UserNamespaceMode(UserNamespaceKind Kind)
{
    /// <summary>What <c>auto</c> and <c>keep-id</c> take unless told otherwise: every id that images commonly use.</summary>
    public const uint DefaultSize = 65_536;

    private const string Option = "--userns";
    private const string ContainerPrefix = "container:";

    public static UserNamespaceMode Host { get; } = new(UserNamespaceKind.Host);

    /// <summary>Of <see cref="UserNamespaceKind.Auto"/>: how many ids.</summary>
    public uint Size { get; private init; } = DefaultSize;

    /// <summary>Of <see cref="UserNamespaceKind.KeepId"/>: who the caller is inside; null for the same as outside.</summary>
    public uint? Uid { get; private init; }

    public uint? Gid { get; private init; }

    /// <summary>Of <see cref="UserNamespaceKind.Range"/>.</summary>
    public IdSpan Users { get; private init; }

    public IdSpan Groups { get; private init; }

    /// <summary>Of <see cref="UserNamespaceKind.Container"/>: as the user named it.</summary>
    public string Peer { get; private init; } = "";

    /// <summary>
    /// Reads <c>host</c>, <c>auto[:size=COUNT]</c>, <c>keep-id[:uid=UID,gid=GID]</c>, <c>container:NAME</c> or
    /// <c>FIRST:COUNT[,FIRST:COUNT]</c>, where the second range is for groups.
    /// </summary>
    /// <exception cref="WherryException">InvalidParameter.</exception>
    public static UserNamespaceMode Parse(string text)
    {
        var colon = text.IndexOf(':');
        var name = colon < 0 ? text : text[..colon];
        var rest = colon < 0 ? null : text[(colon + 1)..];
        return name switch
        {
            "host" when rest is null => Host,
            "auto" => Auto(rest),
            "keep-id" => KeepId(rest),
            "container" when rest is { Length: > 0 } => new UserNamespaceMode(UserNamespaceKind.Container) { Peer = rest },
            ['0' or '1' or '2' or '3' or '4' or '5' or '6' or '7' or '8' or '9', ..] => Range(text),
            _ => throw WherryException.Invalid($"invalid user namespace mode: \"{text}\": use host, auto, auto:size=COUNT, keep-id, keep-id:uid=UID,gid=GID, container:NAME or FIRST:COUNT"),
        };
    }

    /// <summary>A mode as it is kept: <see cref="UserNamespaceKind.Container"/> of another's id.</summary>
    public static string Of(string containerId) => ContainerPrefix + containerId;

    private static UserNamespaceMode Auto(string? options)
    {
        var mode = new UserNamespaceMode(UserNamespaceKind.Auto);
        foreach (var (key, value) in Options(options))
        {
            mode = key == "size"
                ? mode with { Size = Number(key, value, least: 1) }
                : throw WherryException.Invalid($"{Option} auto: unknown option \"{key}\": only size=COUNT is known");
        }

        return mode;
    }

    private static UserNamespaceMode KeepId(string? options)
    {
        var mode = new UserNamespaceMode(UserNamespaceKind.KeepId);
        foreach (var (key, value) in Options(options))
        {
            mode = key switch
            {
                "uid" => mode with { Uid = Number(key, value, least: 0) },
                "gid" => mode with { Gid = Number(key, value, least: 0) },
                _ => throw WherryException.Invalid($"{Option} keep-id: unknown option \"{key}\": only uid=UID and gid=GID are known"),
            };
        }

        return mode;
    }

    private static UserNamespaceMode Range(string text)
    {
        var parts = text.Split(',');
        if (parts.Length > 2)
        {
            throw WherryException.Invalid($"{Option}: \"{text}\" has more than a range of users and one of groups");
        }

        var mode = new UserNamespaceMode(UserNamespaceKind.Range) { Users = IdSpan.Parse(parts[0], Option), Groups = IdSpan.Parse(parts[^1], Option) };
        return mode;
    }

    private static IEnumerable<(string Key, string Value)> Options(string? text)
    {
        foreach (var option in text?.Split(',') ?? [])
        {
            var equals = option.IndexOf('=');
            yield return equals > 0 ? (option[..equals], option[(equals + 1)..]) : throw WherryException.Invalid($"{Option}: \"{option}\" must have the form KEY=VALUE");
        }
    }

    // The last id, all ones, is none: the kernel takes it for "leave as it is".
    private static uint Number(string key, string value, uint least) =>
        uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number < uint.MaxValue
            ? number
            : throw WherryException.Invalid($"{Option}: {key}={value}: it must be a whole number from {least} to {uint.MaxValue - 1}");
}
