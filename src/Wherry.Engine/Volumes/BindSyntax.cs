using Wherry.Errors;

namespace Wherry.Engine.Volumes;

/// <summary>The grammar of <c>-v</c>: <c>[source:]destination[:options]</c>, with Docker's rules and words.</summary>
internal static class BindSyntax
{
    public static readonly string[] Propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

    private static readonly string[] Consistencies = ["consistent", "delegated", "cached", "default"];

    /// <param name="text">As the client wrote it.</param>
    /// <returns>A bind or volume mount; an empty name is still to be chosen.</returns>
    /// <exception cref="WherryException">InvalidParameter: in Docker's words.</exception>
    public static ResolvedMount Parse(string text)
    {
        var parts = text.Split(':');
        var (source, destination, mode) = parts switch
        {
            [var target] => ("", target, ""),
            [_, var target] when IsMode(target) => throw WherryException.Invalid($"invalid volume specification: '{text}'"),
            [{ Length: > 0 } from, var target] => (from, target, ""),
            [{ Length: > 0 } from, var target, var options] => (from, target, options),
            _ => throw WherryException.Invalid($"invalid volume specification: '{text}'"),
        };
        if (mode.Length > 0 && !IsMode(mode))
        {
            throw WherryException.Invalid($"invalid mode: {mode}");
        }

        var isBind = source.StartsWith('/');
        var type = isBind ? "bind" : "volume";
        if (MountPaths.Complaint(destination) is { } complaint)
        {
            throw WherryException.Invalid($"invalid volume specification: '{text}': invalid mount config for type \"{type}\": {complaint}");
        }

        var options_ = mode.Split(',');
        if (!isBind && options_.Any(Propagations.Contains))
        {
            throw WherryException.Invalid($"invalid volume specification: '{text}': invalid mount config for type \"volume\": propagation is only for bind mounts");
        }

        return isBind ? Bind(source, destination, mode, options_) : Volume(source, destination, mode, options_);
    }

    private static ResolvedMount Bind(string source, string destination, string mode, string[] options)
    {
        if (options.Contains("nocopy"))
        {
            throw WherryException.Invalid($"invalid mode: {mode}");
        }

        return new ResolvedMount
        {
            Type = MountType.Bind,
            Source = MountPaths.Clean(source),
            Destination = MountPaths.Clean(destination),
            Mode = mode,
            ReadOnly = options.Contains("ro"),
            Propagation = Array.Find(options, Propagations.Contains) ?? "rprivate",
            CreateSource = true,
            IdMap = options.Contains("idmap"),
        };
    }

    private static ResolvedMount Volume(string source, string destination, string mode, string[] options)
    {
        if (source.Length > 0)
        {
            VolumeNames.Validate(source);
        }

        return new ResolvedMount
        {
            Type = MountType.Volume,
            Name = source.Length > 0 ? source : null,
            IsAnonymous = source.Length == 0,
            Destination = MountPaths.Clean(destination),
            Mode = mode,
            ReadOnly = options.Contains("ro"),
            NoCopy = options.Contains("nocopy"),
        };
    }

    /// <summary>Each matter at most once: access, label, propagation, copying, owners, consistency.</summary>
    private static bool IsMode(string mode)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var option in mode.Split(','))
        {
            var matter = option switch
            {
                "rw" or "ro" => "access",
                "z" or "Z" => "label",
                "nocopy" => "copy",
                "idmap" => "owners",
                _ when Propagations.Contains(option) => "propagation",
                _ when Consistencies.Contains(option) => "consistency",
                _ => null,
            };
            if (matter is null || !seen.Add(matter))
            {
                return false;
            }
        }

        return true;
    }
}
