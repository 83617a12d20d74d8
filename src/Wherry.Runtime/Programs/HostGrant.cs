using Wherry.Linux.Capabilities;
using Wherry.Linux.Processes;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.Programs;

/// <summary>
/// What of the capabilities and resource limits a program asks for this host can give. A root without, say,
/// CAP_SYS_RESOURCE can't hand it on; rather than fail, what is missing is left out and said, unless the user
/// asked for just that.
/// </summary>
/// <param name="Capabilities">For the program.</param>
/// <param name="Limits">Likewise.</param>
/// <param name="Held">Capabilities there are where the program is run, until it has been given its own.</param>
public sealed record HostGrant(CapabilitySets Capabilities, IReadOnlyList<NativeLimit> Limits, ulong Held)
{
    /// <param name="process">What is asked for.</param>
    /// <param name="askedByName">Names that must be given in full (<see cref="SandboxOptions.AskedByName"/>).</param>
    /// <param name="warnings">Told what was left out.</param>
    /// <param name="entersUserNamespace">Between here and there lies the entry into a user namespace.</param>
    /// <exception cref="SandboxStartException">Something asked for by name can't be given.</exception>
    public static HostGrant For(Process process, IReadOnlyList<string> askedByName, List<string> warnings, bool entersUserNamespace = false)
    {
        // In a user namespace one has every capability, but none that raises limits.
        var own = CapabilitySyscalls.Read();
        var held = entersUserNamespace ? CapabilitySyscalls.ReadAll() : own.Permitted;
        return new HostGrant(
            ClipCapabilities(process.Capabilities ?? new Wherry.Oci.Runtime.Capabilities(), entersUserNamespace ? held : held & own.Bounding, askedByName, warnings),
            ClipLimits(process.Rlimits, !UserNamespace.IsInside && (own.Effective & (1UL << Capability.SysResource)) != 0, askedByName, warnings),
            held);
    }

    private static CapabilitySets ClipCapabilities(
        Wherry.Oci.Runtime.Capabilities asked, ulong have, IReadOnlyList<string> askedByName, List<string> warnings)
    {
        var unknown = new List<string>();
        var bounding = Capability.SetOf(asked.Bounding, unknown);
        var permitted = Capability.SetOf(asked.Permitted, unknown);
        var effective = Capability.SetOf(asked.Effective, unknown);
        var inheritable = Capability.SetOf(asked.Inheritable, unknown);
        var ambient = Capability.SetOf(asked.Ambient, unknown);
        if (unknown.Count > 0)
        {
            // Those of a newer kernel's specification are no reason to fail (config.md, "capabilities").
            warnings.Add($"no capability is called {string.Join(", ", unknown)}: ignored");
        }

        var missing = (bounding | permitted | effective | inheritable | ambient) & ~have;
        if (missing != 0)
        {
            var names = Capability.NamesOf(missing).ToList();
            foreach (var name in names)
            {
                Refuse(askedByName, name, $"{name} can't be given to the container: the engine itself lacks it on this host");
            }

            warnings.Add($"the host lacks {string.Join(", ", names)}: the container runs without");
        }

        return new CapabilitySets(effective & have, permitted & have, inheritable & have, bounding & have, ambient & permitted & inheritable & have);
    }

    private static List<NativeLimit> ClipLimits(
        IReadOnlyList<Rlimit> asked, bool mayRaise, IReadOnlyList<string> askedByName, List<string> warnings)
    {
        var limits = new List<NativeLimit>(asked.Count);
        foreach (var limit in asked)
        {
            var number = ResourceLimits.NumberOf(limit.Type);
            var hard = limit.Hard;
            if (!mayRaise && ProcessSyscalls.GetResourceLimit(number).Hard is var ceiling && hard > ceiling)
            {
                Refuse(askedByName, limit.Type, $"{limit.Type} can't be set to {Show(hard)}: the host's own limit is {Show(ceiling)} and the engine lacks CAP_SYS_RESOURCE to raise it");
                warnings.Add($"{limit.Type} is {Show(ceiling)} rather than {Show(hard)}: the engine lacks CAP_SYS_RESOURCE to raise it");
                hard = ceiling;
            }

            limits.Add(new NativeLimit { Resource = number, Soft = Math.Min(limit.Soft, hard), Hard = hard });
        }

        return limits;
    }

    private static void Refuse(IReadOnlyList<string> askedByName, string name, string message)
    {
        if (askedByName.Any(asked => asked.Equals(name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new SandboxStartException(message, 128);
        }
    }

    private static string Show(ulong limit) => limit == ulong.MaxValue ? "unlimited" : limit.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
