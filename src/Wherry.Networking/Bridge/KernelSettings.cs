using Wherry.Errors;

namespace Wherry.Networking.Bridge;

/// <summary>The kernel's network settings a bridge needs (Documentation/networking/ip-sysctl.rst).</summary>
internal static class KernelSettings
{
    private const string Forwarding = "/proc/sys/net/ipv4/ip_forward";

    /// <summary>Lets the host route between the bridge and its other interfaces; changed only where it is off, and never back, as others may have come to need it.</summary>
    public static void EnableForwarding(Action<string> log)
    {
        if (Set(Forwarding, "1", "containers could not reach other networks; set net.ipv4.ip_forward=1"))
        {
            log("enabled IPv4 forwarding (net.ipv4.ip_forward=1)");
        }
    }

    /// <summary>
    /// Lets connections from 127.0.0.1 leave through the bridge, so that ports published there reach containers. It is set
    /// for this bridge only, and the table drops what containers send to 127.0.0.0/8 themselves.
    /// </summary>
    public static void RouteLoopbackTo(string bridge) =>
        Set($"/proc/sys/net/ipv4/conf/{bridge}/route_localnet", "1", "published ports would not work on 127.0.0.1");

    private static bool Set(string file, string value, string otherwise)
    {
        try
        {
            if (File.ReadAllText(file).Trim() == value)
            {
                return false;
            }

            File.WriteAllText(file, value);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WherryException.System($"set {file} to {value}: {e.Message} ({otherwise})", e);
        }
    }
}
