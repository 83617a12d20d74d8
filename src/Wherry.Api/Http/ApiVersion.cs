using System.Globalization;
using Wherry.Engine.Hosts;

namespace Wherry.Api.Http;

/// <summary>A version of the REST API, <c>major.minor</c>.</summary>
public readonly record struct ApiVersion(int Major, int Minor) : IComparable<ApiVersion>
{
    /// <summary>The newest version served, and the one of a request without a version in its path.</summary>
    public static ApiVersion Current { get; } = Parse(SystemService.ApiVersion);

    /// <summary>The oldest version served: the first in which today's container and image endpoints had today's shape.</summary>
    public static ApiVersion Minimum { get; } = Parse(SystemService.MinApiVersion);

    public int CompareTo(ApiVersion other) => Major == other.Major ? Minor.CompareTo(other.Minor) : Major.CompareTo(other.Major);

    public static bool operator <(ApiVersion left, ApiVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(ApiVersion left, ApiVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(ApiVersion left, ApiVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ApiVersion left, ApiVersion right) => left.CompareTo(right) >= 0;

    /// <summary>Reads <c>1.41</c>; false for anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ApiVersion version)
    {
        version = default;
        var dot = text.IndexOf('.');
        if (dot <= 0
            || !int.TryParse(text[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            || !int.TryParse(text[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var minor))
        {
            return false;
        }

        version = new ApiVersion(major, minor);
        return true;
    }

    private static ApiVersion Parse(string text) =>
        TryParse(text, out var version) ? version : throw new FormatException($"{text} is no version");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}
