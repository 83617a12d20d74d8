using System.Globalization;
using Wherry.Api.Contracts.Containers;
using Wherry.Errors;

namespace Wherry.Engine.Validation;

/// <summary>What <c>--log-driver</c> and <c>--log-opt</c> ask for.</summary>
/// <param name="IsKept">Output is written to a log at all.</param>
/// <param name="MaxSizeBytes">A file grows no larger; 0 without bound.</param>
/// <param name="MaxFiles">How many files are kept, the current one included.</param>
public sealed record LogOptions(bool IsKept, long MaxSizeBytes, int MaxFiles)
{
    public const string JsonFile = "json-file";
    private const string None = "none";

    /// <summary>Logs rotate unless told otherwise: a chatty container must not fill the disk.</summary>
    private const long DefaultMaxSize = 20_000_000;
    private const int DefaultMaxFiles = 5;

    private static readonly string[] OtherDrivers =
        ["local", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "etwlogs", "gcplogs", "logentries"];

    private static readonly string[] OtherOptions = ["compress", "labels", "labels-regex", "env", "env-regex", "tag", "max-buffer-size"];

    /// <exception cref="WherryException">InvalidParameter: not a driver or option; Unsupported: one the engine does not offer.</exception>
    public static LogOptions Parse(LogConfig config)
    {
        if (config.Type is not ("" or JsonFile or None))
        {
            throw OtherDrivers.Contains(config.Type)
                ? WherryException.Unsupported($"log driver \"{config.Type}\" is not supported; use {JsonFile} or {None}")
                : WherryException.Invalid($"logger: no log driver named '{config.Type}' is registered");
        }

        var options = new LogOptions(config.Type != None, DefaultMaxSize, DefaultMaxFiles);
        foreach (var (name, value) in config.Config ?? [])
        {
            options = name switch
            {
                "max-size" => options with { MaxSizeBytes = value == "-1" ? 0 : Size(value) },
                "max-file" => options with { MaxFiles = Files(value) },
                "mode" when value is "" or "blocking" => options,
                "mode" => throw WherryException.Unsupported($"log-opt mode={value} is not supported; output is never dropped"),
                _ when OtherOptions.Contains(name) => throw WherryException.Unsupported($"log-opt \"{name}\" is not supported"),
                _ => throw WherryException.Invalid($"unknown log opt '{name}' for {JsonFile} log driver"),
            };
        }

        return options;
    }

    private static long Size(string value)
    {
        var size = ByteSizes.Parse(value);
        return size > 0 ? size : throw WherryException.Invalid($"max-size must be a positive number, got {value}");
    }

    private static int Files(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var files) && files >= 1
            ? files
            : throw WherryException.Invalid($"max-file cannot be less than 1, got {value}");
}
