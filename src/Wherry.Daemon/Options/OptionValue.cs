using System.Globalization;
using System.Net;
using Wherry.Errors;

namespace Wherry.Daemon.Options;

/// <summary>Reads the values of options, with errors that name the option and show what fits.</summary>
internal static class OptionValue
{
    public static string Absolute(string name, string path) => path.StartsWith('/')
        ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))
        : throw WherryException.Invalid($"{name}: \"{path}\" must be an absolute path");

    public static bool Truth(string name, string value) => value switch
    {
        "true" or "1" => true,
        "false" or "0" => false,
        _ => throw WherryException.Invalid($"{name}: \"{value}\" must be true or false"),
    };

    public static int Count(string name, string value) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
        ? number
        : throw WherryException.Invalid($"{name}: \"{value}\" must be a number above 0");

    /// <summary><c>ADDRESS:PORT</c>, <c>[ADDRESS]:PORT</c>, <c>:PORT</c> for all addresses, or a port on loopback.</summary>
    public static IPEndPoint EndPoint(string name, string value)
    {
        var colon = value.LastIndexOf(':');
        var host = colon < 0 ? "localhost" : value[..colon];
        var address = host switch
        {
            "" or "*" => IPAddress.IPv6Any,
            "localhost" => IPAddress.Loopback,
            _ => IPAddress.TryParse(host.Trim('[', ']'), out var parsed) ? parsed : null,
        };
        return address is not null && ushort.TryParse(value.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? new IPEndPoint(address, port)
            : throw WherryException.Invalid($"{name}: \"{value}\" must be ADDRESS:PORT, such as 127.0.0.1:5000, [::1]:5000 or :5000");
    }

    /// <summary>A number with <c>s</c>, <c>m</c>, <c>h</c> or <c>d</c>; a bare 0 is allowed.</summary>
    public static TimeSpan Duration(string name, string value)
    {
        var unit = value.Length == 0 ? ' ' : value[^1];
        var seconds = unit switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
        if (value == "0")
        {
            return TimeSpan.Zero;
        }

        return seconds > 0 && uint.TryParse(value.AsSpan(0, value.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= uint.MaxValue / 86400
            ? TimeSpan.FromSeconds((long)number * seconds)
            : throw WherryException.Invalid($"{name}: \"{value}\" must be a time such as 30s, 10m, 24h or 7d");
    }

    /// <summary>Bytes: <c>kB</c>, <c>MB</c>, … count in thousands, <c>KiB</c>, <c>MiB</c>, … and single letters in 1024s.</summary>
    public static long Bytes(string name, string value)
    {
        var digits = value.AsSpan().IndexOfAnyExceptInRange('0', '9') is var end and >= 0 ? end : value.Length;
        var unit = value[digits..].Trim().ToLowerInvariant();
        (long Size, int Power)? scale = unit switch
        {
            "" or "b" => (1, 0),
            "kb" => (1000, 1),
            "mb" => (1000, 2),
            "gb" => (1000, 3),
            "tb" => (1000, 4),
            "k" or "kib" => (1024, 1),
            "m" or "mib" => (1024, 2),
            "g" or "gib" => (1024, 3),
            "t" or "tib" => (1024, 4),
            _ => null,
        };
        var factor = scale is var (size, power) ? Enumerable.Repeat(size, power).Aggregate(1L, (product, next) => product * next) : 0;
        return factor > 0 && long.TryParse(value.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && number <= long.MaxValue / factor
            ? number * factor
            : throw WherryException.Invalid($"{name}: \"{value}\" must be a size such as 500MB, 10GB or 2TiB");
    }

    public static Uri Url(string name, string value) =>
        Uri.TryCreate(value.Contains("://", StringComparison.Ordinal) ? value : "https://" + value, UriKind.Absolute, out var url)
        && url.Scheme is "http" or "https"
        && url.AbsolutePath == "/"
        && url.UserInfo.Length == 0
            ? url
            : throw WherryException.Invalid($"{name}: \"{value}\" must be a registry's address, such as https://registry.example.com");
}
