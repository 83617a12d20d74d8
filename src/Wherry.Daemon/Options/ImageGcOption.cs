using System.Text.Json;
using Wherry.Engine.Cleaning;
using Wherry.Errors;

namespace Wherry.Daemon.Options;

/// <summary>Reads <c>image-gc</c>: <c>{"unused-for": "30d", "keep-free": "10GB", "tagged": true, "every": "10m"}</c>.</summary>
internal static class ImageGcOption
{
    public static ImageGcOptions Parse(string json)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException malformed)
        {
            throw WherryException.Invalid($"image-gc: {malformed.Message}", malformed);
        }

        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw WherryException.Invalid("image-gc: must be an object such as {\"unused-for\": \"30d\"}");
            }

            var members = document.RootElement.EnumerateObject().ToList();
            if (members.GroupBy(member => member.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            {
                throw WherryException.Invalid($"image-gc: {twice.Key} is given twice");
            }

            var options = members.Aggregate(new ImageGcOptions(), Apply);
            return options.IsOff ? throw WherryException.Invalid("image-gc: neither unused-for nor keep-free is given, so nothing would ever go") : options;
        }
    }

    private static ImageGcOptions Apply(ImageGcOptions options, JsonProperty member) => (member.Name, member.Value.ValueKind) switch
    {
        ("unused-for", JsonValueKind.String) => options with { UnusedFor = Positive("image-gc: unused-for", member.Value.GetString()!) },
        ("keep-free", JsonValueKind.String) => options with { KeepFree = Space(member.Value.GetString()!) },
        ("every", JsonValueKind.String) => options with { Every = Positive("image-gc: every", member.Value.GetString()!) },
        ("tagged", JsonValueKind.True or JsonValueKind.False) => options with { Tagged = member.Value.GetBoolean() },
        ("unused-for" or "keep-free" or "every", _) => throw WherryException.Invalid($"image-gc: {member.Name} must be a string"),
        ("tagged", _) => throw WherryException.Invalid("image-gc: tagged must be true or false"),
        _ => throw WherryException.Invalid($"image-gc: unknown member {member.Name}: there are unused-for, keep-free, tagged and every"),
    };

    private static TimeSpan Positive(string name, string value) => OptionValue.Duration(name, value) is { Ticks: > 0 } time
        ? time
        : throw WherryException.Invalid($"{name}: \"{value}\" must be more than nothing");

    private static FreeSpace Space(string value)
    {
        if (!value.EndsWith('%'))
        {
            return new FreeSpace(OptionValue.Bytes("image-gc: keep-free", value), 0);
        }

        return int.TryParse(value.AsSpan(0, value.Length - 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var percent) && percent is >= 1 and <= 99
            ? new FreeSpace(0, percent)
            : throw WherryException.Invalid($"image-gc: keep-free: \"{value}\" must be a share from 1% to 99%, or a size");
    }
}
