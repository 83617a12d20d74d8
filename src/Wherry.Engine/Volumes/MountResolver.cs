using Wherry.Api.Contracts.Containers;
using Wherry.Errors;

namespace Wherry.Engine.Volumes;

/// <summary>
/// Turns all the ways to ask for a mount (<c>-v</c>, <c>--mount</c>, <c>--tmpfs</c>, <c>--volumes-from</c>, the
/// image's VOLUME) into one list. Pure but for looking whether a bind's source exists.
/// </summary>
public static class MountResolver
{
    /// <param name="config">The container's configuration, image defaults included.</param>
    /// <param name="host">What was asked of the host.</param>
    /// <param name="mountsOf">The mounts of another container by id or name, for <c>--volumes-from</c>; throws NotFound.</param>
    /// <returns>Parents before children. Volumes have neither directory nor, where anonymous, a name yet.</returns>
    /// <exception cref="WherryException">InvalidParameter: a specification is wrong or two mounts share a destination.</exception>
    public static IReadOnlyList<ResolvedMount> Resolve(
        ContainerConfig config, HostConfig host, Func<string, IReadOnlyList<ResolvedMount>> mountsOf)
    {
        RefuseVolumeDriver(host.VolumeDriver);
        var tmpfs = (host.Tmpfs ?? []).Select(entry => Tmpfs(entry.Key, entry.Value)).ToArray();
        var asked = (host.Binds ?? []).Select(BindSyntax.Parse)
            .Concat((host.Mounts ?? []).Select(MountSyntax.Parse))
            .Concat(tmpfs)
            .ToArray();
        var chosen = new Dictionary<string, ResolvedMount>(StringComparer.Ordinal);
        foreach (var mount in asked)
        {
            if (!chosen.TryAdd(mount.Destination, mount))
            {
                throw WherryException.Invalid($"Duplicate mount point: {mount.Destination}");
            }
        }

        // What was asked for by name overrules what is inherited, from containers first and the image last.
        foreach (var inherited in (host.VolumesFrom ?? []).SelectMany(text => Inherited(text, mountsOf)))
        {
            chosen.TryAdd(inherited.Destination, inherited);
        }

        foreach (var path in (config.Volumes ?? []).Keys)
        {
            var volume = BindSyntax.Parse(path);
            chosen.TryAdd(volume.Destination, volume);
        }

        return [.. chosen.Values.OrderBy(mount => MountPaths.Depth(mount.Destination)).ThenBy(mount => mount.Destination, StringComparer.Ordinal)];
    }

    private static ResolvedMount Tmpfs(string destination, string options)
    {
        if (MountPaths.Complaint(destination) is { } complaint)
        {
            throw WherryException.Invalid($"invalid mount config for type \"tmpfs\": {complaint}");
        }

        var merged = TmpfsOptionList.Parse(options);
        return new ResolvedMount
        {
            Type = MountType.Tmpfs,
            Destination = MountPaths.Clean(destination),
            Mode = options,
            ReadOnly = merged.Contains("ro"),
            TmpfsOptions = merged,
        };
    }

    private static IEnumerable<ResolvedMount> Inherited(string text, Func<string, IReadOnlyList<ResolvedMount>> mountsOf)
    {
        var colon = text.IndexOf(':');
        var container = colon < 0 ? text : text[..colon];
        var mode = colon < 0 ? "rw" : text[(colon + 1)..];
        if (container.Length == 0)
        {
            throw WherryException.Invalid($"invalid volumes-from specification: '{text}'");
        }

        if (mode is not ("rw" or "ro" or "z" or "Z"))
        {
            throw WherryException.Invalid($"invalid mode for volumes-from: {mode}");
        }

        return from mount in mountsOf(container)
               where mount.Type != MountType.Tmpfs
               select mount with { ReadOnly = mount.ReadOnly || mode == "ro", IsAnonymous = false };
    }

    private static void RefuseVolumeDriver(string driver)
    {
        if (driver is not ("" or VolumeStore.LocalDriver))
        {
            throw WherryException.NotFound($"error looking up volume plugin {driver}: plugin \"{driver}\" not found");
        }
    }
}
