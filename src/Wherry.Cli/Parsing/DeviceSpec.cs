using Wherry.Api.Contracts.Containers;
using Wherry.Cli.CommandLine;

namespace Wherry.Cli.Parsing;

/// <summary>Devices of the host and limits on them.</summary>
internal static class DeviceSpec
{
    /// <summary><c>/dev/host[:/dev/container][:rwm]</c>.</summary>
    internal static DeviceMapping Parse(string text)
    {
        var parts = text.Split(':');
        if (parts.Length > 3 || parts[0].Length == 0)
        {
            throw new UsageException("bad format for path: " + text);
        }

        var container = parts[0];
        var permissions = "rwm";
        if (parts.Length == 2 && IsMode(parts[1]))
        {
            permissions = parts[1];
        }
        else if (parts.Length > 1)
        {
            container = parts[1];
            if (parts.Length == 3)
            {
                permissions = IsMode(parts[2]) ? parts[2] : throw new UsageException("bad mode specified: " + parts[2]);
            }
        }

        return container.StartsWith('/')
            ? new DeviceMapping { PathOnHost = parts[0], PathInContainer = container, CgroupPermissions = permissions }
            : throw new UsageException($"{container} is not an absolute path");
    }

    /// <summary>True for a device named by the Container Device Interface: <c>vendor.com/class=name</c>.</summary>
    internal static bool IsQualifiedName(string text)
        => text.IndexOf('=') is > 0 and var equals && text.IndexOf('/') is > 0 and var slash && slash < equals - 1 && equals < text.Length - 1;

    /// <summary><c>c 1:3 rwm</c>.</summary>
    internal static string CgroupRule(string text)
    {
        var parts = text.Split(' ');
        var valid = parts is [("a" or "b" or "c"), var numbers, { Length: >= 1 and <= 3 } access]
            && access.All(static c => c is 'r' or 'w' or 'm')
            && numbers.Split(':') is [var major, var minor]
            && IsNumberOrStar(major)
            && IsNumberOrStar(minor);
        return valid ? text : throw new FormatException($"invalid device cgroup format '{text}'");
    }

    /// <summary><c>/dev/sda:1mb</c> (bytes per second).</summary>
    internal static ThrottleDevice BytesPerSecond(string text)
    {
        var (path, rate) = SplitDevice(text);
        try
        {
            return new ThrottleDevice { Path = path, Rate = ByteSize.Parse(rate) };
        }
        catch (FormatException e)
        {
            throw new FormatException($"invalid rate for device: {text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb", e);
        }
    }

    /// <summary><c>/dev/sda:1000</c> (operations per second).</summary>
    internal static ThrottleDevice OperationsPerSecond(string text)
    {
        var (path, rate) = SplitDevice(text);
        return ulong.TryParse(rate, out var number) && number <= long.MaxValue
            ? new ThrottleDevice { Path = path, Rate = (long)number }
            : throw new FormatException($"invalid rate for device: {text}. The correct format is <device-path>:<number>. Number must be a positive integer");
    }

    /// <summary><c>/dev/sda:200</c>.</summary>
    internal static WeightDevice Weight(string text)
    {
        var (path, weight) = SplitDevice(text);
        return int.TryParse(weight, out var number) && number is 0 or (>= 10 and <= 1000)
            ? new WeightDevice { Path = path, Weight = number }
            : throw new FormatException("invalid weight for device: " + text);
    }

    private static (string Path, string Value) SplitDevice(string text)
    {
        var colon = text.IndexOf(':');
        if (colon <= 0)
        {
            throw new FormatException("bad format: " + text);
        }

        return text.StartsWith("/dev/", StringComparison.Ordinal)
            ? (text[..colon], text[(colon + 1)..])
            : throw new FormatException("bad format for device path: " + text);
    }

    private static bool IsMode(string text)
        => text.Length > 0 && text.All(static c => c is 'r' or 'w' or 'm') && text.Distinct().Count() == text.Length;

    private static bool IsNumberOrStar(string text) => text == "*" || (text.Length > 0 && text.All(char.IsAsciiDigit));
}
