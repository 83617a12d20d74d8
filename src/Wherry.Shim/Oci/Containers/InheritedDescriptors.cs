using System.Globalization;
using Wherry.Errors;
using Wherry.Linux.Files;

namespace Wherry.Shim.Oci.Containers;

/// <summary>
/// The descriptors beyond the standard streams that a program inherits from our caller: those it counted with
/// <c>--preserve-fds</c>, behind those of socket activation (sd_listen_fds(3)), which the program is told of.
/// </summary>
/// <param name="Count">How many, from 3 on.</param>
/// <param name="Environment">What the program is told.</param>
public sealed record InheritedDescriptors(int Count, IReadOnlyList<string> Environment)
{
    /// <summary>More than anybody passes; bounded since our own descriptors lie behind them.</summary>
    public const int Most = 1000;

    /// <param name="preserved">As counted by the caller, activation's not included.</param>
    /// <exception cref="WherryException">One of them isn't open.</exception>
    public static InheritedDescriptors Find(int preserved)
    {
        var activated = Activated();
        for (var fd = 3; fd < 3 + activated + preserved; fd++)
        {
            if (FileStatus.At(null, $"/proc/self/fd/{fd.ToString(CultureInfo.InvariantCulture)}") is null)
            {
                throw WherryException.Invalid($"descriptor {fd}, of {activated + preserved} to preserve from 3 on, is not open");
            }
        }

        return new InheritedDescriptors(activated + preserved, activated == 0 ? [] : [$"LISTEN_FDS={activated.ToString(CultureInfo.InvariantCulture)}", "LISTEN_PID=1"]);
    }

    private static int Activated() =>
        System.Environment.GetEnvironmentVariable("LISTEN_FDS") is { Length: > 0 } text
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
        && count <= Most
            ? count
            : 0;
}
