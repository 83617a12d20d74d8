using System.Globalization;
using Wherry.Errors;

namespace Wherry.Engine.UserNamespaces;

/// <summary>A range of the host's ids.</summary>
/// <param name="First">The first id, on the host.</param>
/// <param name="Count">How many.</param>
public readonly record struct IdSpan(uint First, uint Count)
{
    private const long MostIds = uint.MaxValue;

    public long End => (long)First + Count;

    public bool Overlaps(IdSpan other) => First < other.End && other.First < End;

    /// <summary>Reads <c>FIRST:COUNT</c>.</summary>
    /// <exception cref="WherryException">InvalidParameter: that is no range of ids.</exception>
    public static IdSpan Parse(string text, string option)
    {
        var colon = text.IndexOf(':');
        if (colon < 0
            || !uint.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            || !uint.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            throw WherryException.Invalid($"{option}: \"{text}\" is not a range of ids: it must have the form FIRST:COUNT, such as 200000:65536");
        }

        var span = new IdSpan(first, count);
        return count == 0 ? throw WherryException.Invalid($"{option}: the range \"{text}\" is empty")
            : first == 0 ? throw WherryException.Invalid($"{option}: the range \"{text}\" begins with the host's root: use --userns host to share its ids")
            : span.End > MostIds ? throw WherryException.Invalid($"{option}: the range \"{text}\" goes beyond the last id, {MostIds - 1}")
            : span;
    }
}
