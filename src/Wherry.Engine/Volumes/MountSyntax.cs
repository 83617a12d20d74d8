using Wherry.Api.Contracts.Containers;
using Wherry.Errors;

namespace Wherry.Engine.Volumes;

/// <summary>The rules of <c>--mount</c>, which says in fields what <c>-v</c> says with colons.</summary>
internal static class MountSyntax
{
    /// <exception cref="WherryException">InvalidParameter: in Docker's words; Unsupported: the type or an option is not offered.</exception>
    public static ResolvedMount Parse(Mount mount)
    {
        if (MountPaths.Complaint(mount.Target) is { } complaint)
        {
            throw Complain(mount, complaint);
        }

        return mount.Type switch
        {
            "bind" => Bind(mount),
            "volume" => Volume(mount),
            "tmpfs" => Tmpfs(mount),
            "image" or "npipe" or "cluster" => throw WherryException.Unsupported($"mounts of type \"{mount.Type}\" are not supported; use bind, volume or tmpfs"),
            _ => throw Complain(mount, "mount type unknown"),
        };
    }

    private static ResolvedMount Bind(Mount mount)
    {
        Refuse(mount, "VolumeOptions", mount.VolumeOptions is not null);
        Refuse(mount, "TmpfsOptions", mount.TmpfsOptions is not null);
        Refuse(mount, "ImageOptions", mount.ImageOptions is not null);
        var source = mount.Source ?? "";
        if (source.Length == 0)
        {
            throw Complain(mount, "field Source must not be empty");
        }

        if (!source.StartsWith('/'))
        {
            throw Complain(mount, $"invalid mount path: '{source}' mount path must be absolute");
        }

        var options = mount.BindOptions ?? new BindOptions();
        var propagation = string.IsNullOrEmpty(options.Propagation) ? "rprivate" : options.Propagation;
        if (!BindSyntax.Propagations.Contains(propagation))
        {
            throw Complain(mount, $"invalid propagation mode: {propagation}");
        }

        if (options.ReadOnlyForceRecursive)
        {
            throw WherryException.Unsupported("bind-recursive=readonly is not supported; use readonly, which leaves what is mounted below the source as it is");
        }

        if (!options.CreateMountpoint && !Path.Exists(source))
        {
            throw Complain(mount, $"bind source path does not exist: {source}");
        }

        return new ResolvedMount
        {
            Type = MountType.Bind,
            Source = MountPaths.Clean(source),
            Destination = MountPaths.Clean(mount.Target),
            ReadOnly = mount.ReadOnly,
            Propagation = propagation,
            NonRecursive = options.NonRecursive,
            CreateSource = options.CreateMountpoint,
        };
    }

    private static ResolvedMount Volume(Mount mount)
    {
        Refuse(mount, "BindOptions", mount.BindOptions is not null);
        Refuse(mount, "TmpfsOptions", mount.TmpfsOptions is not null);
        Refuse(mount, "ImageOptions", mount.ImageOptions is not null);
        var name = mount.Source ?? "";
        var options = mount.VolumeOptions ?? new VolumeOptions();
        var isAnonymous = name.Length == 0;
        if (!string.IsNullOrEmpty(options.Subpath))
        {
            throw WherryException.Unsupported("volume-subpath is not supported; mount the whole volume");
        }

        if (mount.ReadOnly && isAnonymous)
        {
            throw Complain(mount, "must not set ReadOnly mode when using anonymous volumes");
        }

        VolumeStore.RequireLocal(options.DriverConfig?.Name, options.DriverConfig?.Options);
        if (!isAnonymous)
        {
            VolumeNames.Validate(name);
        }

        return new ResolvedMount
        {
            Type = MountType.Volume,
            Name = isAnonymous ? null : name,
            IsAnonymous = isAnonymous,
            Destination = MountPaths.Clean(mount.Target),
            Mode = "z",
            ReadOnly = mount.ReadOnly,
            NoCopy = options.NoCopy,
            Labels = options.Labels,
        };
    }

    private static ResolvedMount Tmpfs(Mount mount)
    {
        Refuse(mount, "BindOptions", mount.BindOptions is not null);
        Refuse(mount, "VolumeOptions", mount.VolumeOptions is not null);
        Refuse(mount, "ImageOptions", mount.ImageOptions is not null);
        Refuse(mount, "Source", !string.IsNullOrEmpty(mount.Source));
        return new ResolvedMount
        {
            Type = MountType.Tmpfs,
            Destination = MountPaths.Clean(mount.Target),
            ReadOnly = mount.ReadOnly,
            TmpfsOptions = TmpfsOptionList.From(mount.TmpfsOptions, mount.ReadOnly),
        };
    }

    private static void Refuse(Mount mount, string field, bool isThere)
    {
        if (isThere)
        {
            throw Complain(mount, $"field {field} must not be specified");
        }
    }

    private static WherryException Complain(Mount mount, string complaint) =>
        WherryException.Invalid($"invalid mount config for type \"{mount.Type}\": {complaint}");
}
