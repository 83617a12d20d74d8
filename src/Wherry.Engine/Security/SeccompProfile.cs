using Wherry.Oci.Runtime;

namespace Wherry.Engine.Security;

/// <summary>A profile as users write it: rules that may hold for some capabilities, architectures or kernels only.</summary>
internal sealed record SeccompProfile
{
    /// <summary>What does not depend on anything: default action, flags, listener; architectures, unless there are <see cref="Families"/>.</summary>
    public required SeccompConfig Base { get; init; }

    public IReadOnlyList<ArchitectureFamily> Families { get; init; } = [];

    public required IReadOnlyList<ProfileRule> Rules { get; init; }

    /// <summary>The rules that hold for a container.</summary>
    /// <param name="capabilities">Those it may ever have.</param>
    /// <param name="kernel">The running one.</param>
    /// <param name="architecture">The machine's, by runtime-spec's name.</param>
    public SeccompConfig For(IReadOnlySet<string> capabilities, KernelVersion kernel, string architecture)
    {
        var family = Families.FirstOrDefault(each => each.Name == architecture);
        return Base with
        {
            Architectures = family is null ? Base.Architectures : [family.Name, .. family.Others],
            Syscalls = [.. Rules.Where(rule => rule.HoldsFor(capabilities, kernel, GoNameOf(architecture))).Select(rule => rule.Rule)],
        };
    }

    /// <summary>Docker's profiles call architectures in conditions as Go does.</summary>
    private static string GoNameOf(string architecture) => architecture == "SCMP_ARCH_AARCH64" ? "arm64" : "amd64";
}

/// <param name="Name">By runtime-spec's name.</param>
/// <param name="Others">Those whose programs it also runs.</param>
internal sealed record ArchitectureFamily(string Name, IReadOnlyList<string> Others);

internal sealed record ProfileRule(SeccompRule Rule, RuleCondition? OnlyIf = null, RuleCondition? Unless = null)
{
    /// <summary>All that is named in <see cref="OnlyIf"/> must hold, nothing of <see cref="Unless"/> may.</summary>
    public bool HoldsFor(IReadOnlySet<string> capabilities, KernelVersion kernel, string architecture) =>
        (OnlyIf is null
            || (OnlyIf.Capabilities.All(capabilities.Contains)
                && (OnlyIf.Architectures.Count == 0 || OnlyIf.Architectures.Contains(architecture))
                && (OnlyIf.Kernel is not { } oldest || kernel >= oldest)))
        && (Unless is null
            || (!Unless.Capabilities.Any(capabilities.Contains)
                && !Unless.Architectures.Contains(architecture)
                && (Unless.Kernel is not { } newest || kernel < newest)));
}

internal sealed record RuleCondition
{
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>By Go's names.</summary>
    public IReadOnlyList<string> Architectures { get; init; } = [];

    /// <summary>At least this one.</summary>
    public KernelVersion? Kernel { get; init; }
}

/// <summary>As <c>uname -r</c> begins.</summary>
internal readonly record struct KernelVersion(int Major, int Minor) : IComparable<KernelVersion>
{
    public static bool operator <(KernelVersion left, KernelVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(KernelVersion left, KernelVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(KernelVersion left, KernelVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(KernelVersion left, KernelVersion right) => left.CompareTo(right) >= 0;

    /// <summary><c>6.18.44-cloud-amd64</c> is 6.18; null for what does not begin with two numbers.</summary>
    public static KernelVersion? TryParse(string text)
    {
        var parts = text.Split('.', 3);
        return parts.Length >= 2 && int.TryParse(parts[0], out var major) && int.TryParse(string.Concat(parts[1].TakeWhile(char.IsAsciiDigit)), out var minor)
            ? new KernelVersion(major, minor)
            : null;
    }

    public int CompareTo(KernelVersion other) => (Major, Minor).CompareTo((other.Major, other.Minor));
}
