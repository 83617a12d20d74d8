using System.Globalization;

namespace Wherry.Api.Streams;

/// <summary>Progress as text, for clients that print it as it comes.</summary>
internal static class ProgressBar
{
    private const int Width = 50;

    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB"];

    /// <summary><c>[====&gt;   ]  1.2MB/5MB</c>, or the amount alone where the total is not known.</summary>
    public static string Draw(long current, long? total)
    {
        if (total is not > 0 || current > total)
        {
            return Size(current);
        }

        var done = (int)(Width * current / total.Value);
        var bar = done >= Width ? new string('=', Width) + ">" : new string('=', done) + ">" + new string(' ', Width - done - 1);
        return $"[{bar}] {Size(current),8}/{Size(total.Value)}";
    }

    private static string Size(double bytes)
    {
        var unit = 0;
        while (bytes >= 1000 && unit < Units.Length - 1)
        {
            bytes /= 1000;
            unit++;
        }

        return bytes.ToString("G4", CultureInfo.InvariantCulture) + Units[unit];
    }
}
