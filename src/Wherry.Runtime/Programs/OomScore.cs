using System.Globalization;
using Wherry.Linux;
using Wherry.Linux.Files;
using Wherry.Oci.Runtime;
using Wherry.Runtime.Contracts;

namespace Wherry.Runtime.Programs;

/// <summary>How likely the kernel takes a program when memory runs out (proc(5), oom_score_adj).</summary>
public static class OomScore
{
    /// <param name="file">The file of the process meant, in the host's /proc.</param>
    /// <param name="process">What is asked for.</param>
    /// <param name="askedByName">Names that must be given in full (<see cref="SandboxOptions.AskedByName"/>).</param>
    /// <param name="warnings">Told what was left out.</param>
    /// <exception cref="SandboxStartException">Asked for by name and refused by the kernel.</exception>
    public static void Set(string file, Process process, IReadOnlyList<string> askedByName, List<string> warnings)
    {
        if (process.OomScoreAdj is not { } score)
        {
            return;
        }

        try
        {
            FileSyscalls.WriteKernelFile(file, score.ToString(CultureInfo.InvariantCulture));
        }
        catch (LinuxException e) when (e.ErrorNumber is Errno.EACCES or Errno.EPERM)
        {
            if (askedByName.Contains("oomScoreAdj", StringComparer.OrdinalIgnoreCase))
            {
                throw new SandboxStartException($"the OOM score can't be lowered to {score}: the engine lacks CAP_SYS_RESOURCE on this host", 128);
            }

            warnings.Add($"the OOM score stays at {FileSyscalls.TryReadText(file)?.Trim()} rather than {score}: the engine lacks CAP_SYS_RESOURCE to lower it");
        }
    }
}
