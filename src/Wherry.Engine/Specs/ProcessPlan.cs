using Wherry.Engine.Security;
using Wherry.Oci.Runtime;

namespace Wherry.Engine.Specs;

/// <summary>The container's program: what is executed, with which environment, limits and rights.</summary>
internal static class ProcessPlan
{
    public const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public static Process Make(SpecInputs inputs)
    {
        var config = inputs.Config;
        var host = inputs.Host;
        var security = SecurityOptions.Parse(host.SecurityOpt);
        return new Process
        {
            Terminal = config.Tty,
            ConsoleSize = config.Tty && host.ConsoleSize is [> 0 and var height, > 0 and var width] ? new ConsoleSize(height, width) : null,
            Args = [.. config.Entrypoint ?? [], .. config.Cmd ?? []],
            Env = Environment(inputs),
            Cwd = config.WorkingDir.Length > 0 ? config.WorkingDir : "/",
            Capabilities = DefaultCapabilities.For(host, inputs.HostFacts),
            Rlimits = Rlimits(inputs),
            NoNewPrivileges = security.NoNewPrivileges,
            ApparmorProfile = AppArmorProfiles.Of(host, inputs.HostFacts),
            SelinuxLabel = SelinuxLabel(security),
            OomScoreAdj = OomScore(inputs),
        };
    }

    /// <summary>
    /// PATH, HOSTNAME and, with a terminal, TERM; then the container's own, which overrule them. A variable
    /// without a value is taken out. HOME is the runtime's business: only it knows the user's directory.
    /// </summary>
    private static List<string> Environment(SpecInputs inputs)
    {
        var environment = new List<string> { DefaultPath, "HOSTNAME=" + inputs.Config.Hostname };
        if (inputs.Config.Tty)
        {
            environment.Add("TERM=xterm");
        }

        foreach (var variable in inputs.Config.Env ?? [])
        {
            var equals = variable.IndexOf('=');
            var key = (equals < 0 ? variable : variable[..equals]) + "=";
            var existing = environment.FindIndex(other => other.StartsWith(key, StringComparison.Ordinal));
            if (equals < 0)
            {
                if (existing >= 0)
                {
                    environment.RemoveAt(existing);
                }
            }
            else if (existing >= 0)
            {
                environment[existing] = variable;
            }
            else
            {
                environment.Add(variable);
            }
        }

        return environment;
    }

    /// <summary>Containers' usual label with what was asked in its place; null where none was asked.</summary>
    private static string? SelinuxLabel(SecurityOptions security)
    {
        if (security.Labels.Count == 0)
        {
            return null;
        }

        return string.Join(':', Part("user", "system_u"), Part("role", "system_r"), Part("type", "container_t"), Part("level", "s0"));

        string Part(string name, string usual) => security.Labels.LastOrDefault(label => label.StartsWith(name + ":", StringComparison.Ordinal))?[(name.Length + 1)..] ?? usual;
    }

    /// <summary>As asked, but not beyond the engine's own hard limits where the kernel would refuse that.</summary>
    private static List<Rlimit> Rlimits(SpecInputs inputs)
    {
        var limits = new List<Rlimit>();
        foreach (var ulimit in inputs.Host.Ulimits ?? [])
        {
            if (UlimitNames.Find(ulimit.Name) is not { } name)
            {
                continue;
            }

            var hard = ulimit.Hard < 0 ? ulong.MaxValue : (ulong)ulimit.Hard;
            var soft = ulimit.Soft < 0 ? ulong.MaxValue : (ulong)ulimit.Soft;
            if (!inputs.HostFacts.CanExceedLimits && inputs.HostFacts.HardLimits.TryGetValue(name, out var highest))
            {
                hard = Math.Min(hard, highest);
            }

            limits.Add(new Rlimit(name, Math.Min(soft, hard), hard));
        }

        return limits;
    }

    /// <summary>Lowering a score below the engine's own takes CAP_SYS_RESOURCE; without it the lowest possible is what is given.</summary>
    private static int OomScore(SpecInputs inputs) => inputs.HostFacts.CanExceedLimits
        ? inputs.Host.OomScoreAdj
        : Math.Max(inputs.Host.OomScoreAdj, inputs.HostFacts.OomScoreAdjustment);
}
