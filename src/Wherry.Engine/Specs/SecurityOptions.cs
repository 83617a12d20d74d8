using Wherry.Errors;

namespace Wherry.Engine.Specs;

/// <summary>What <c>--security-opt</c> asks for.</summary>
/// <param name="NoNewPrivileges">Programs can't gain rights by set-user-ID or file capabilities.</param>
internal sealed record SecurityOptions(bool NoNewPrivileges)
{
    /// <exception cref="WherryException">InvalidParameter: not an option; Unsupported: one the engine does not offer.</exception>
    public static SecurityOptions Parse(IReadOnlyList<string>? options)
    {
        var noNewPrivileges = false;
        foreach (var option in options ?? [])
        {
            var separator = option.IndexOf('=');
            if (separator < 0)
            {
                separator = option.IndexOf(':');
            }

            var name = separator < 0 ? option : option[..separator];
            var value = separator < 0 ? "" : option[(separator + 1)..];
            switch (name, value)
            {
                case ("no-new-privileges", "" or "true"):
                    noNewPrivileges = true;
                    break;
                case ("no-new-privileges", "false"):
                    noNewPrivileges = false;
                    break;

                // Nothing of the kind is applied yet, so asking to be without is granted.
                case ("seccomp" or "apparmor", "unconfined"):
                case ("label", "disable"):
                case ("disable", ""):
                    break;
                case ("seccomp" or "apparmor" or "label" or "writable-cgroups" or "systempaths", _):
                    throw WherryException.Unsupported($"security option \"{Shorten(option)}\" is not supported");
                default:
                    throw WherryException.Invalid($"invalid --security-opt 2: \"{Shorten(option)}\"");
            }
        }

        return new SecurityOptions(noNewPrivileges);
    }

    /// <summary>Clients send a whole profile as the value.</summary>
    private static string Shorten(string option) => option.Length > 60 ? option[..60] + "…" : option;
}
