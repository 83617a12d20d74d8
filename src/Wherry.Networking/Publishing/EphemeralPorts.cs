using System.Globalization;

namespace Wherry.Networking.Publishing;

/// <summary>
/// Proposes host ports for requests that leave the choice to the engine, from the host's own ephemeral range as Docker does.
/// It goes round, so that a port just given up is proposed again last. Thread-safe.
/// </summary>
internal sealed class EphemeralPorts
{
    private const string RangeFile = "/proc/sys/net/ipv4/ip_local_port_range";

    // Docker's range where the host's can't be read: the one IANA sets aside.
    private const int DefaultFirst = 49153;
    private const int DefaultLast = 65535;

    private readonly int _first;
    private uint _next;

    public EphemeralPorts()
        : this(ReadRange())
    {
    }

    public EphemeralPorts((int First, int Last) range)
    {
        _first = range.First;
        Count = range.Last - range.First + 1;
    }

    /// <summary>How many proposals go round once.</summary>
    public int Count { get; }

    public ushort Propose() => (ushort)(_first + (int)((Interlocked.Increment(ref _next) - 1) % (uint)Count));

    private static (int First, int Last) ReadRange()
    {
        try
        {
            var numbers = File.ReadAllText(RangeFile).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (numbers.Length == 2
                && int.TryParse(numbers[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                && int.TryParse(numbers[1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
                && first is > 0 and <= 65535 && last is > 0 and <= 65535 && first <= last)
            {
                return (first, last);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The default below serves as well.
        }

        return (DefaultFirst, DefaultLast);
    }
}
