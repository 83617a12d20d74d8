using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Wherry.Registry.Http;

/// <summary>The part of a blob a client asks for: one range of bytes (RFC 9110, section 14).</summary>
/// <param name="First">The first byte; null for the last <paramref name="Last"/> bytes.</param>
/// <param name="Last">The last byte, inclusive; null for all to the end.</param>
internal readonly record struct ByteRange(long? First, long? Last)
{
    /// <summary>
    /// Null where the whole is asked for: no range, one that is not understood, several at once (which a server may
    /// answer with the whole), or one on condition of an older version.
    /// </summary>
    internal static ByteRange? Asked(HttpRequest request, string currentTag)
    {
        if (request.Headers.IfRange is { Count: > 0 } condition && condition != currentTag)
        {
            return null;
        }

        return Parse(request.Headers.Range);
    }

    internal static ByteRange? Parse(string? header)
    {
        const string unit = "bytes=";
        if (header is null || !header.StartsWith(unit, StringComparison.OrdinalIgnoreCase) || header.Contains(',', StringComparison.Ordinal))
        {
            return null;
        }

        var text = header.AsSpan(unit.Length).Trim();
        var dash = text.IndexOf('-');
        if (dash < 0 || !TryNumber(text[..dash], out var first) || !TryNumber(text[(dash + 1)..], out var last))
        {
            return null;
        }

        return (first, last) switch
        {
            (null, null) => null,
            (not null, not null) when first > last => null,
            _ => new ByteRange(first, last),
        };
    }

    /// <summary>Start and length within content of <paramref name="size"/> bytes; null where nothing of it is.</summary>
    internal (long Start, long Length)? Within(long size)
    {
        if (First is not { } first)
        {
            var tail = Math.Min(Last!.Value, size);
            return tail == 0 ? null : (size - tail, tail);
        }

        return first >= size ? null : (first, Math.Min(Last ?? long.MaxValue, size - 1) - first + 1);
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out long? number)
    {
        number = null;
        if (text.IsEmpty)
        {
            return true;
        }

        var valid = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value);
        number = valid ? value : null;
        return valid;
    }
}

/// <summary>Conditions on what a client has already.</summary>
internal static class Conditions
{
    /// <summary>Whether the client's If-None-Match names this version.</summary>
    internal static bool IsKnown(HttpRequest request, string tag)
    {
        foreach (var value in request.Headers.IfNoneMatch)
        {
            foreach (var candidate in (value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (candidate == tag || candidate == "*" || (candidate.StartsWith("W/", StringComparison.Ordinal) && candidate[2..] == tag))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
