using System.Globalization;
using Wherry.Linux.Files;

namespace Wherry.Shim.Oci.Commands;

/// <summary>A user's name by the host's /etc/passwd.</summary>
internal static class OwnerName
{
    public static string Of(uint uid)
    {
        var number = uid.ToString(CultureInfo.InvariantCulture);
        foreach (var line in (FileSyscalls.TryReadText("/etc/passwd") ?? "").Split('\n'))
        {
            var fields = line.Split(':');
            if (fields.Length > 2 && fields[2] == number)
            {
                return fields[0];
            }
        }

        return "#" + number;
    }
}
