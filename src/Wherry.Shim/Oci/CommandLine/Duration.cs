using System.Globalization;
using Wherry.Errors;

namespace Wherry.Shim.Oci.CommandLine;

/// <summary>A length of time as Go programs take it: <c>5s</c>, <c>1m30s</c>, <c>500ms</c>.</summary>
public static class Duration
{
    private static readonly (string Unit, double Milliseconds)[] Units = [("ms", 1), ("us", 1e-3), ("µs", 1e-3), ("ns", 1e-6), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];

    /// <exception cref="WherryException">It is not one.</exception>
    public static TimeSpan Parse(string text)
    {
        var rest = text.AsSpan();
        var milliseconds = 0.0;
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExcept("0123456789.");
            var known = false;
            foreach (var (unit, length) in Units)
            {
                if (digits > 0 && rest[digits..].StartsWith(unit, StringComparison.Ordinal)
                    && double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count))
                {
                    milliseconds += count * length;
                    rest = rest[(digits + unit.Length)..];
                    known = true;
                    break;
                }
            }

            if (!known)
            {
                throw Invalid(text);
            }
        }

        return text.Length > 0 && milliseconds <= int.MaxValue ? TimeSpan.FromMilliseconds(milliseconds) : throw Invalid(text);
    }

    private static WherryException Invalid(string text) => WherryException.Invalid($"invalid duration \"{text}\": such as 5s or 500ms");
}
