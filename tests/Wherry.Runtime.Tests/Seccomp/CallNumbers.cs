using System.Globalization;
using System.Text;
using Wherry.Runtime.Seccomp;

namespace Wherry.Runtime.Tests.Seccomp;

/// <summary>The table of system calls, read line by line.</summary>
internal static class CallNumbers
{
    public static Dictionary<string, uint> Of(FilterArchitecture architecture) => Encoding.ASCII.GetString(SyscallTable.Data)
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split(' '))
        .Where(fields => fields[1 + architecture.Column] != "-")
        .ToDictionary(fields => fields[0], fields => uint.Parse(fields[1 + architecture.Column], CultureInfo.InvariantCulture) | architecture.NumberBase, StringComparer.Ordinal);
}
