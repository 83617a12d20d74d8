using System.Text;
using Wherry.Errors;

namespace Wherry.Runtime.Systemd;

/// <summary>
/// A container's scope (systemd.scope(5)): what <c>linux.cgroupsPath</c> means where systemd makes the cgroups,
/// <c>slice:prefix:name</c>, as other runtimes read it.
/// </summary>
/// <param name="Slice">The unit it lies in.</param>
/// <param name="Unit">Its own name.</param>
public sealed record ScopeName(string Slice, string Unit)
{
    private const string HostsSlice = "system.slice";
    private const string UsersSlice = "user.slice";
    private const string DefaultPrefix = "wherry-oci";
    private const string SliceSuffix = ".slice";
    private const int LongestUnit = 255;

    /// <param name="cgroupsPath">The configuration's; empty for the default.</param>
    /// <param name="id">The container's.</param>
    /// <param name="isUsers">It is to be made by a user's service manager.</param>
    /// <exception cref="WherryException">It is not of that form.</exception>
    public static ScopeName Parse(string? cgroupsPath, string id, bool isUsers = false)
    {
        var defaultSlice = isUsers ? UsersSlice : HostsSlice;
        if (string.IsNullOrEmpty(cgroupsPath))
        {
            return new ScopeName(defaultSlice, RequireUnit($"{DefaultPrefix}-{id}.scope"));
        }

        if (cgroupsPath.Split(':') is not [var slice, var prefix, var name])
        {
            throw WherryException.Invalid($"expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"{cgroupsPath}\" instead");
        }

        return new ScopeName(
            RequireSlice(slice.Length == 0 ? defaultSlice : slice),
            RequireUnit(prefix.Length == 0 ? $"{name}.scope" : $"{prefix}-{name}.scope"));
    }

    /// <summary>Its cgroup's path below its manager's: dashes in a slice's name are its levels (systemd.slice(5)).</summary>
    public string CgroupPath
    {
        get
        {
            var path = new StringBuilder();
            var levels = Slice == "-" + SliceSuffix ? [] : Slice[..^SliceSuffix.Length].Split('-');
            for (var i = 1; i <= levels.Length; i++)
            {
                path.Append('/').AppendJoin('-', levels.Take(i)).Append(SliceSuffix);
            }

            return $"{path}/{Unit}";
        }
    }

    private static string RequireSlice(string slice) =>
        slice == "-" + SliceSuffix
        || (slice.EndsWith(SliceSuffix, StringComparison.Ordinal) && IsName(slice) && slice[..^SliceSuffix.Length].Split('-').All(level => level.Length > 0))
            ? slice
            : throw WherryException.Invalid($"invalid slice name: {slice}");

    private static string RequireUnit(string unit) =>
        IsName(unit) && unit[0] != '.' ? unit : throw WherryException.Invalid($"invalid name of a systemd unit: {unit}");

    private static bool IsName(string name) =>
        name.Length <= LongestUnit && name.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '_' or '.' or '-' or '\\' or '@');
}
