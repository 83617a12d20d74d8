using Wherry.Api.Contracts.Containers;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Containers;

/// <summary><c>--gpus all</c>, <c>--gpus 2</c>, <c>--gpus device=0,capabilities=utility</c>.</summary>
internal static class GpuOption
{
    internal static DeviceRequest Parse(string text)
    {
        var request = new DeviceRequest();
        var capabilities = new List<string> { "gpu" };
        foreach (var field in CsvFields.Split(text))
        {
            var equals = field.IndexOf('=');
            var key = equals < 0 ? "count" : field[..equals];
            var value = field[(equals + 1)..];
            switch (key)
            {
                case "count":
                    request = request with { Count = value == "all" ? -1 : Count(text, value) };
                    break;
                case "device":
                    request = request with { DeviceIDs = value.Split(',') };
                    break;
                case "driver":
                    request = request with { Driver = value };
                    break;
                case "capabilities":
                    capabilities.AddRange(value.Split(','));
                    break;
                case "options":
                    request = request with { Options = VariableList.Map(value.Split(',')) };
                    break;
                default:
                    throw UsageException.InvalidValue("--gpus", text, $"unexpected key '{key}' in '{field}'");
            }
        }

        if (request is { Count: 0, DeviceIDs: null })
        {
            request = request with { Count = 1 };
        }

        return request with { Capabilities = [[.. capabilities.Distinct()]] };
    }

    private static int Count(string text, string value) => int.TryParse(value, out var count)
        ? count
        : throw UsageException.InvalidValue("--gpus", text, $"invalid count ({value}): value must be either \"all\" or an integer");
}
