using System.Net;

namespace Wherry.Cli.Parsing;

/// <summary>Host names and addresses on the command line.</summary>
internal static class HostSpec
{
    /// <summary><c>--add-host name:address</c> (or <c>name=address</c>, <c>name=[v6]</c>) in the form the engine stores.</summary>
    internal static string ExtraHost(string text)
    {
        var separator = text.IndexOf('=');
        if (separator < 0)
        {
            separator = text.IndexOf(':');
        }

        if (separator <= 0)
        {
            throw new FormatException($"bad format for add-host: \"{text}\"");
        }

        var address = text[(separator + 1)..];
        if (address is ['[', .. var inner, ']'])
        {
            address = inner;
        }

        return address == "host-gateway" || IPAddress.TryParse(address, out _)
            ? $"{text[..separator]}:{address}"
            : throw new FormatException($"invalid IP address in add-host: \"{address}\"");
    }

    internal static string Address(string text)
        => IPAddress.TryParse(text.Trim(), out var address) ? address.ToString() : throw new FormatException("IP address is not correctly formatted: " + text);

    /// <summary>A domain for <c>--dns-search</c>; <c>.</c> means none.</summary>
    internal static string SearchDomain(string text)
    {
        var trimmed = text.Trim();
        if (trimmed == ".")
        {
            return trimmed;
        }

        var valid = trimmed.Length is > 0 and <= 255
            && trimmed.TrimEnd('.').Split('.').All(static label => label.Length is > 0 and <= 63
                && label.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
                && label[0] != '-' && label[^1] != '-');
        return valid ? trimmed : throw new FormatException($"{text} is not a valid domain");
    }

    /// <summary>True for a hardware address of 6 or 8 bytes.</summary>
    internal static bool IsMac(string text)
    {
        var parts = text.Split(text.Contains('-', StringComparison.Ordinal) ? '-' : ':');
        return parts.Length is 6 or 8 && parts.All(static p => p.Length == 2 && p.All(char.IsAsciiHexDigit));
    }
}
