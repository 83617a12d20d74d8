namespace Wherry.Linux.DBus;

/// <summary>Server addresses (D-Bus specification, "Server Addresses").</summary>
public static class BusAddress
{
    private const string PathKey = "path=";
    private const string UnixTransport = "unix:";

    /// <summary>The sockets that an address names by their path, in the order in which they are to be tried.</summary>
    /// <param name="address">Alternatives, separated by semicolons, each a transport with keys and values.</param>
    public static IReadOnlyList<string> Sockets(string address) =>
    [
        .. from alternative in address.Split(';')
           where alternative.StartsWith(UnixTransport, StringComparison.Ordinal)
           from pair in alternative[UnixTransport.Length..].Split(',')
           where pair.StartsWith(PathKey, StringComparison.Ordinal)
           select Uri.UnescapeDataString(pair[PathKey.Length..]),
    ];
}
