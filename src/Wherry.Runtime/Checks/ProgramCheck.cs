using Wherry.Errors;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Programs;

namespace Wherry.Runtime.Checks;

/// <summary>Looks the description of a program through, a container's own or an exec's.</summary>
public static class ProgramCheck
{
    private const int LargestScore = 1000;
    private const uint LargestUmask = 0x1ff;

    /// <exception cref="WherryException">Something in it can't be carried out.</exception>
    public static void Require(Process process)
    {
        if (process.OomScoreAdj is < -LargestScore or > LargestScore)
        {
            throw WherryException.Invalid($"process.oomScoreAdj: {process.OomScoreAdj} is not between -{LargestScore} and {LargestScore}");
        }

        if (process.User.Umask > LargestUmask)
        {
            throw WherryException.Invalid($"process.user.umask: {process.User.Umask} is more than 0777");
        }

        if (process.Cwd.Length > 0 && process.Cwd[0] != '/')
        {
            throw WherryException.Invalid($"process.cwd: \"{process.Cwd}\" is not absolute");
        }

        var limits = new HashSet<int>();
        foreach (var limit in process.Rlimits)
        {
            if (!limits.Add(ResourceLimits.NumberOf(limit.Type)))
            {
                throw WherryException.Invalid($"process.rlimits: {limit.Type} is there twice");
            }

            if (limit.Soft > limit.Hard)
            {
                throw WherryException.Invalid($"process.rlimits: {limit.Type} has a soft limit above the hard one");
            }
        }

        if (process.ExecCpuAffinity is { } affinity)
        {
            _ = NumberLists.Parse(affinity.Initial ?? "", "process.execCPUAffinity.initial");
            _ = NumberLists.Parse(affinity.Final ?? "", "process.execCPUAffinity.final");
        }
    }
}
