using Wherry.Cli.Engine;
using Wherry.Cli.Terminals;

namespace Wherry.Cli.CommandLine;

/// <summary>What every command works with: the engine, the standard streams, the environment.</summary>
internal sealed class CliContext(StandardStreams streams, Lazy<EngineClient> engine, Func<string, string?> environment) : IDisposable
{
    internal StandardStreams Streams { get; } = streams;

    internal EngineClient Engine => engine.Value;

    internal StreamWriter Out => Streams.Text;

    internal Func<string, string?> Environment { get; } = environment;

    internal void Warn(string message) => Streams.ErrorText.WriteLine("wherry: " + message);

    public void Dispose()
    {
        if (engine.IsValueCreated)
        {
            engine.Value.Dispose();
        }
    }
}

/// <summary>One parsed command line.</summary>
internal sealed class Invocation(ParsedArguments parsed, CliContext context)
{
    internal CliContext Context { get; } = context;

    internal EngineClient Engine => Context.Engine;

    internal StreamWriter Out => Context.Out;

    /// <summary>What is not an option.</summary>
    internal string[] Arguments { get; } = [.. parsed.Arguments];

    internal bool Is(FlagOption option) => parsed.Values(option) is [.., "true"];

    internal bool Has(Option option) => parsed.Values(option).Count > 0;

    /// <summary>All values in the order given.</summary>
    internal string[] All(ValueOption option) => [.. parsed.Values(option)];

    /// <summary>The last value; null where the option was not given.</summary>
    internal string? Last(ValueOption option) => parsed.Values(option) is [.., var last] ? last : null;

    internal string Text(ValueOption option) => Last(option) ?? "";

    /// <summary>The last value as a whole number.</summary>
    internal long? Number(ValueOption option) => Convert(option, Parsing.Numbers.ParseInteger);

    /// <summary>The last value as bytes (<c>512m</c>).</summary>
    internal long? Bytes(ValueOption option) => Convert(option, Parsing.ByteSize.Parse);

    /// <summary>The last value as a duration in nanoseconds.</summary>
    internal long? Nanoseconds(ValueOption option) => Convert(option, Parsing.GoDuration.Parse);

    /// <summary>Converts the last value; a conversion's <see cref="FormatException"/> becomes a usage error that names the option.</summary>
    internal T? Convert<T>(ValueOption option, Func<string, T> parse)
        where T : struct
        => Last(option) is { } text ? Checked(option, text, parse) : null;

    /// <summary>Converts every value.</summary>
    internal List<T> ConvertAll<T>(ValueOption option, Func<string, T> parse)
    {
        var values = new List<T>();
        foreach (var text in All(option))
        {
            values.Add(Checked(option, text, parse));
        }

        return values;
    }

    private static T Checked<T>(Option option, string text, Func<string, T> parse)
    {
        try
        {
            return parse(text);
        }
        catch (FormatException e)
        {
            throw UsageException.InvalidValue(option.Display, text, e.Message);
        }
    }
}
