using System.Globalization;
using Wherry.Api.Contracts.Containers;
using Wherry.Errors;

namespace Wherry.Engine.Volumes;

/// <summary>A tmpfs's mount options: safe defaults, then what was asked, the last word on each matter winning.</summary>
internal static class TmpfsOptionList
{
    private static readonly string[] Defaults = ["noexec", "nosuid", "nodev", "rprivate"];

    /// <summary>Options that exclude one another; the value is what they are about.</summary>
    private static readonly Dictionary<string, string> Flags = new(StringComparer.Ordinal)
    {
        ["ro"] = "write",
        ["rw"] = "write",
        ["suid"] = "suid",
        ["nosuid"] = "suid",
        ["dev"] = "dev",
        ["nodev"] = "dev",
        ["exec"] = "exec",
        ["noexec"] = "exec",
        ["sync"] = "sync",
        ["async"] = "sync",
        ["dirsync"] = "dirsync",
        ["atime"] = "atime",
        ["noatime"] = "atime",
        ["relatime"] = "atime",
        ["norelatime"] = "atime",
        ["strictatime"] = "atime",
        ["nostrictatime"] = "atime",
        ["diratime"] = "diratime",
        ["nodiratime"] = "diratime",
        ["mand"] = "mand",
        ["nomand"] = "mand",
        ["private"] = "propagation",
        ["rprivate"] = "propagation",
        ["shared"] = "propagation",
        ["rshared"] = "propagation",
        ["slave"] = "propagation",
        ["rslave"] = "propagation",
        ["unbindable"] = "propagation",
        ["runbindable"] = "propagation",
        ["defaults"] = "defaults",
    };

    private static readonly string[] Values = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"];

    /// <summary>The options of <c>--tmpfs path:options</c>.</summary>
    public static IReadOnlyList<string> Parse(string options) =>
        Merge(options.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    /// <summary>The options of <c>--mount type=tmpfs</c>.</summary>
    public static IReadOnlyList<string> From(TmpfsOptions? asked, bool readOnly)
    {
        var options = new List<string>();
        if (readOnly)
        {
            options.Add("ro");
        }

        if (asked is not null)
        {
            if (asked.SizeBytes < 0 || asked.Mode is < 0 or > 0x1ff + 0xe00)
            {
                throw WherryException.Invalid("tmpfs size and mode can not be negative, nor the mode larger than 07777");
            }

            if (asked.Mode != 0)
            {
                options.Add("mode=" + Convert.ToString(asked.Mode, 8));
            }

            if (asked.SizeBytes != 0)
            {
                options.Add("size=" + asked.SizeBytes.ToString(CultureInfo.InvariantCulture));
            }

            options.AddRange(asked.Options?.Select(option => string.Join('=', option)) ?? []);
        }

        return Merge(options);
    }

    private static List<string> Merge(IEnumerable<string> asked)
    {
        var merged = new List<(string Matter, string Option)>();
        foreach (var option in Defaults.Concat(asked))
        {
            var matter = MatterOf(option);
            merged.RemoveAll(other => other.Matter == matter);
            merged.Add((matter, option));
        }

        return [.. from entry in merged where entry.Option != "defaults" select entry.Option];
    }

    private static string MatterOf(string option)
    {
        if (Flags.TryGetValue(option, out var matter))
        {
            return matter;
        }

        var equals = option.IndexOf('=');
        if (equals > 0 && Values.Contains(option[..equals]))
        {
            return option[..equals];
        }

        throw WherryException.Invalid($"invalid tmpfs option [\"{option}\"]");
    }
}
