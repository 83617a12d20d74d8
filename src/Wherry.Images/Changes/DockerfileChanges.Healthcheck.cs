using System.Globalization;
using System.Text.RegularExpressions;
using Wherry.Errors;
using Wherry.Oci.Images;

namespace Wherry.Images.Changes;

/// <summary>The HEALTHCHECK line.</summary>
public static partial class DockerfileChanges
{
    private static Healthcheck ParseHealthcheck(string argument)
    {
        var check = new Healthcheck();
        while (argument.StartsWith("--", StringComparison.Ordinal))
        {
            var end = argument.AsSpan().IndexOfAny(' ', '\t');
            var option = end < 0 ? argument : argument[..end];
            argument = end < 0 ? "" : argument[end..].TrimStart();
            check = WithOption(check, option);
        }
        var parts = argument.Split([' ', '\t'], 2, StringSplitOptions.RemoveEmptyEntries);
        switch (parts.Length == 0 ? "" : parts[0].ToUpperInvariant())
        {
            case "NONE" when parts.Length == 1:
                return new Healthcheck { Test = ["NONE"] };
            case "NONE":
                throw WherryException.Invalid("HEALTHCHECK NONE takes no arguments");
            case "CMD" when parts.Length == 2:
                var command = parts[1].Trim();
                return check with { Test = TryParseArray(command) is { } array ? ["CMD", .. array] : ["CMD-SHELL", command] };
            case "CMD":
                throw WherryException.Invalid("Missing command after HEALTHCHECK CMD");
            default:
                throw WherryException.Invalid($"Unknown type \"{(parts.Length == 0 ? "" : parts[0])}\" in HEALTHCHECK (try CMD)");
        }
    }

    private static Healthcheck WithOption(Healthcheck check, string option)
    {
        var equals = option.IndexOf('=');
        var (name, value) = equals < 0 ? (option, "") : (option[..equals], option[(equals + 1)..]);
        return name switch
        {
            "--interval" => check with { Interval = Duration(name, value) },
            "--timeout" => check with { Timeout = Duration(name, value) },
            "--start-period" => check with { StartPeriod = Duration(name, value) },
            "--start-interval" => check with { StartInterval = Duration(name, value) },
            "--retries" => check with { Retries = int.TryParse(value, out var retries) && retries >= 0 ? retries : throw WherryException.Invalid($"--retries must be a number, not \"{value}\"") },
            _ => throw WherryException.Invalid($"Unknown flag: {name.TrimStart('-')}"),
        };
    }

    /// <summary>A duration as Go writes it (<c>1m30s</c>, <c>500ms</c>), in nanoseconds.</summary>
    private static long Duration(string name, string text)
    {
        if (text == "0")
            return 0;
        var match = DurationGrammar().Match(text);
        if (!match.Success)
            throw WherryException.Invalid($"{name}: invalid duration \"{text}\"");
        decimal total = 0;
        for (var i = 0; i < match.Groups["number"].Captures.Count; i++)
        {
            var number = decimal.Parse(match.Groups["number"].Captures[i].Value, CultureInfo.InvariantCulture);
            total += number * match.Groups["unit"].Captures[i].Value switch
            {
                "h" => 3_600_000_000_000m,
                "m" => 60_000_000_000m,
                "s" => 1_000_000_000m,
                "ms" => 1_000_000m,
                "us" or "µs" => 1_000m,
                _ => 1m,
            };
        }
        return total is 0 or (>= 1_000_000m and <= long.MaxValue) ? (long)total : throw WherryException.Invalid($"{name}: duration \"{text}\" is out of range: it cannot be less than 1ms");
    }

    [GeneratedRegex(@"\A(?:(?<number>[0-9]{1,10}(?:\.[0-9]{1,9})?)(?<unit>h|ms|us|µs|ns|m|s)){1,8}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex DurationGrammar();
}
