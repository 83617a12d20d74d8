namespace Wherry.Engine.Networks;

/// <summary>
/// The MTU of the link that leads out of the host. A bridge with a larger one makes containers send what only
/// path MTU discovery can shrink, and that fails wherever ICMP is filtered.
/// </summary>
internal static class UplinkMtu
{
    private const string DefaultDestination = "00000000";

    /// <returns>Bytes; null when the host has no default route.</returns>
    public static int? Read()
    {
        if (!File.Exists("/proc/net/route"))
        {
            return null;
        }

        foreach (var line in File.ReadLines("/proc/net/route").Skip(1))
        {
            var fields = line.Split('\t', StringSplitOptions.TrimEntries);
            if (fields.Length > 1 && fields[1] == DefaultDestination && MtuOf(fields[0]) is { } mtu)
            {
                return mtu;
            }
        }

        return null;
    }

    private static int? MtuOf(string link)
    {
        var path = $"/sys/class/net/{link}/mtu";
        return File.Exists(path) && int.TryParse(File.ReadAllText(path), out var mtu) ? mtu : null;
    }
}
