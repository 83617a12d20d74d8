using Wherry.Errors;
using Wherry.Linux.DBus;

namespace Wherry.Runtime.Systemd;

/// <summary>
/// Properties of its scope that a container's annotations name, as in <c>"org.systemd.property.TimeoutStopUSec": "uint64
/// 90000000"</c>: podman has its containers' time to stop and signal known to systemd by them.
/// </summary>
public static class UnitAnnotations
{
    private const string Prefix = "org.systemd.property.";
    private const string Seconds = "Sec";
    private const int MicrosecondsPerSecond = 1_000_000;
    private const int ShortestName = 3;

    /// <exception cref="WherryException">One has a name that no property can have, or its value can't be read.</exception>
    public static IReadOnlyList<UnitProperty> Of(IReadOnlyDictionary<string, string>? annotations) =>
        [.. (annotations ?? new Dictionary<string, string>()).Where(one => one.Key.StartsWith(Prefix, StringComparison.Ordinal)).OrderBy(one => one.Key, StringComparer.Ordinal).Select(Read)];

    private static UnitProperty Read(KeyValuePair<string, string> annotation)
    {
        var name = annotation.Key[Prefix.Length..];
        if (name.Length < ShortestName || !name.All(char.IsAsciiLetter))
        {
            throw WherryException.Invalid($"annotation {annotation.Key} name incorrect: {name}");
        }

        try
        {
            var value = VariantText.Parse(annotation.Value);
            return IsInSeconds(name) ? new UnitProperty(name[..^Seconds.Length] + "USec", Microseconds(value)) : new UnitProperty(name, value);
        }
        catch (FormatException e)
        {
            throw WherryException.Invalid($"annotation {annotation.Key}={annotation.Value} value parse error: {e.Message}");
        }
    }

    // As in unit files; on the bus such properties count microseconds, and are named so.
    private static bool IsInSeconds(string name) => name.EndsWith(Seconds, StringComparison.Ordinal) && name.Length > Seconds.Length && char.IsAsciiLetterLower(name[^(Seconds.Length + 1)]);

    private static Variant Microseconds(Variant value) => value switch
    {
        { Value: double seconds } when seconds * MicrosecondsPerSecond is >= 0 and < ulong.MaxValue => new Variant("t", (ulong)(seconds * MicrosecondsPerSecond)),
        { Value: ulong seconds } when seconds <= ulong.MaxValue / MicrosecondsPerSecond => new Variant("t", seconds * MicrosecondsPerSecond),
        _ => throw new FormatException("not a number of seconds"),
    };
}
