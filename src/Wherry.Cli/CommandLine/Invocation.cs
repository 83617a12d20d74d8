using System.CommandLine;
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
internal sealed class Invocation(ParseResult result, string[] arguments, CliContext context)
{
    internal CliContext Context { get; } = context;

    internal EngineClient Engine => Context.Engine;

    internal StreamWriter Out => Context.Out;

    /// <summary>What is not an option.</summary>
    internal string[] Arguments { get; } = arguments;

    internal bool Is(Option<bool> option) => result.GetValue(option);

    internal bool Has(Option option) => result.GetResult(option) is { Implicit: false };

    /// <summary>All values in the order given.</summary>
    internal string[] All(Option<string[]> option) => result.GetValue(option) ?? [];

    /// <summary>The last value; null where the option was not given.</summary>
    internal string? Last(Option<string[]> option) => result.GetValue(option) is [.., var last] ? last : null;

    internal string Text(Option<string[]> option) => Last(option) ?? "";

    /// <summary>The last value as a whole number.</summary>
    internal long? Number(Option<string[]> option) => Convert(option, Parsing.Numbers.ParseInteger);

    /// <summary>The last value as bytes (<c>512m</c>).</summary>
    internal long? Bytes(Option<string[]> option) => Convert(option, Parsing.ByteSize.Parse);

    /// <summary>The last value as a duration in nanoseconds.</summary>
    internal long? Nanoseconds(Option<string[]> option) => Convert(option, Parsing.GoDuration.Parse);

    /// <summary>Converts the last value; a conversion's <see cref="FormatException"/> becomes a usage error that names the option.</summary>
    internal T? Convert<T>(Option<string[]> option, Func<string, T> parse)
        where T : struct
        => Last(option) is { } text ? Checked(option, text, parse) : null;

    /// <summary>Converts every value.</summary>
    internal List<T> ConvertAll<T>(Option<string[]> option, Func<string, T> parse)
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
            throw UsageException.InvalidValue(OptionNames.Display(option), text, e.Message);
        }
    }
}
