using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Wherry.Bench;

/// <summary>One line of the report.</summary>
/// <param name="Operation">What was done.</param>
/// <param name="Unit">ms, s, MB or kB; less is better in every one.</param>
/// <param name="Target">What SPECIFICATION.md promises; null where it promises nothing.</param>
/// <param name="Values">Median by contestant.</param>
public sealed record Measurement(string Operation, string Unit, double? Target, IReadOnlyDictionary<string, double> Values)
{
    public double? Ours => Values.TryGetValue("wherry", out var value) ? value : Values.TryGetValue("wherry-oci", out value) ? value : null;
}

/// <summary>The table on the terminal and the file for comparisons over time.</summary>
public static class Report
{
    public static void Print(IReadOnlyList<Measurement> measurements, TextWriter output)
    {
        var peers = measurements.SelectMany(measurement => measurement.Values.Keys).Where(name => name is not ("wherry" or "wherry-oci")).Distinct(StringComparer.Ordinal).ToArray();
        var line = new StringBuilder($"{"",-44} {"wherry",10} {"promised",10}");
        foreach (var peer in peers)
        {
            line.Append($" {peer,10} {"ratio",7}");
        }

        output.WriteLine(line);
        foreach (var measurement in measurements)
        {
            line.Clear().Append($"{measurement.Operation,-44} {Value(measurement.Ours, measurement.Unit),10} {(measurement.Target is { } target ? "≤ " + Value(target, measurement.Unit) : ""),10}");
            foreach (var peer in peers)
            {
                var has = measurement.Values.TryGetValue(peer, out var value);
                var ratio = has && measurement.Ours is > 0 and var ours ? string.Create(CultureInfo.InvariantCulture, $"{value / ours:F1}×") : "";
                line.Append($" {(has ? Value(value, measurement.Unit) : "–"),10} {ratio,7}");
            }

            output.WriteLine(line + (measurement.Target is { } bound && measurement.Ours > bound ? "  MISSED" : ""));
        }
    }

    public static void Write(string path, IReadOnlyList<string> contestants, IReadOnlyList<Measurement> measurements)
    {
        using var stream = File.Create(path);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("date", DateTimeOffset.UtcNow);
        json.WriteString("kernel", Environment.OSVersion.VersionString);
        json.WriteNumber("processors", Environment.ProcessorCount);
        json.WriteStartArray("contestants");
        foreach (var contestant in contestants)
        {
            json.WriteStringValue(contestant);
        }

        json.WriteEndArray();
        json.WriteStartArray("measurements");
        foreach (var measurement in measurements)
        {
            json.WriteStartObject();
            json.WriteString("operation", measurement.Operation);
            json.WriteString("unit", measurement.Unit);
            if (measurement.Target is { } target)
            {
                json.WriteNumber("promised", target);
            }

            json.WriteStartObject("medians");
            foreach (var (name, value) in measurement.Values)
            {
                json.WriteNumber(name, Math.Round(value, 3));
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Value(double? value, string unit) =>
        value is { } number ? string.Create(CultureInfo.InvariantCulture, $"{number.ToString(number < 10 ? "F1" : "F0", CultureInfo.InvariantCulture)} {unit}") : "–";
}
