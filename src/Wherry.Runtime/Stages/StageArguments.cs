using System.Globalization;

namespace Wherry.Runtime.Stages;

/// <summary>
/// How a stage is told, on its command line, at which numbers it finds its channel and its listener. They lie
/// behind the descriptors its program is to inherit, so these need not be moved.
/// </summary>
public static class StageArguments
{
    /// <summary>Makes this program a stage.</summary>
    public const string Flag = "--stage";

    /// <summary>The first descriptor behind the standard streams.</summary>
    public const int FirstPreserved = 3;

    /// <param name="channel">The channel's number.</param>
    /// <param name="listener">The listener's; negative for none.</param>
    public static IReadOnlyList<string> For(int channel, int listener) => listener < 0 ? [Text(channel)] : [Text(channel), Text(listener)];

    /// <exception cref="FormatException">Not what <see cref="For"/> makes: somebody else has called.</exception>
    public static (int Channel, int Listener) Read(ReadOnlySpan<string> arguments) =>
        (int.Parse(arguments.Length > 0 ? arguments[0] : "", CultureInfo.InvariantCulture), arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : -1);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
