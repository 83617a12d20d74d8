using Wherry.Errors;

namespace Wherry.Engine.Specs;

/// <summary>What <c>--security-opt</c> asks for.</summary>
internal sealed record SecurityOptions
{
    /// <summary>No filter, or no profile.</summary>
    public const string Unconfined = "unconfined";

    /// <summary>The engine's own seccomp profile, asked for by name.</summary>
    public const string Builtin = "builtin";

    /// <summary>Programs can't gain rights by set-user-ID or file capabilities.</summary>
    public bool NoNewPrivileges { get; init; }

    /// <summary>The root file system is mounted so that set-user-ID and file capabilities in it have no effect.</summary>
    public bool NoSuid { get; init; }

    /// <summary>Null for the default, <see cref="Unconfined"/>, <see cref="Builtin"/>, or a profile's text.</summary>
    public string? Seccomp { get; init; }

    /// <summary>Null for the default, <see cref="Unconfined"/>, or a loaded profile's name.</summary>
    public string? AppArmor { get; init; }

    /// <summary>Parts of an SELinux label such as <c>type:container_t</c>; empty for none.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Nothing of /proc and /sys is masked or read-only.</summary>
    public bool UnmaskPaths { get; init; }

    /// <exception cref="WherryException">InvalidParameter: not an option; Unsupported: one the engine does not offer.</exception>
    public static SecurityOptions Parse(IReadOnlyList<string>? options)
    {
        var parsed = new SecurityOptions();
        foreach (var option in options ?? [])
        {
            var separator = option.IndexOf('=');
            if (separator < 0)
            {
                separator = option.IndexOf(':');
            }

            var name = separator < 0 ? option : option[..separator];
            var value = separator < 0 ? "" : option[(separator + 1)..];
            parsed = (name, value) switch
            {
                ("no-new-privileges", "" or "true") => parsed with { NoNewPrivileges = true },
                ("no-new-privileges", "false") => parsed with { NoNewPrivileges = false },
                ("nosuid", "" or "true") => parsed with { NoSuid = true },
                ("nosuid", "false") => parsed with { NoSuid = false },
                ("seccomp", { Length: > 0 }) => parsed with { Seccomp = value },
                ("apparmor", { Length: > 0 }) => parsed with { AppArmor = value },
                ("label", "disable") or ("disable", "") => parsed with { Labels = [] },
                ("label", _) when IsLabel(value) => parsed with { Labels = [.. parsed.Labels, value] },
                ("systempaths", Unconfined) => parsed with { UnmaskPaths = true },
                ("writable-cgroups", "false") => parsed,
                ("writable-cgroups", _) => throw WherryException.Unsupported($"security option \"{Shorten(option)}\" is not supported"),
                _ => throw WherryException.Invalid($"invalid --security-opt 2: \"{Shorten(option)}\""),
            };
        }

        return parsed;
    }

    private static bool IsLabel(string value) =>
        value.Split(':', 2) is ["user" or "role" or "type" or "level" or "filetype", { Length: > 0 }];

    /// <summary>Clients send a whole profile as the value.</summary>
    private static string Shorten(string option) => option.Length > 60 ? option[..60] + "…" : option;
}
