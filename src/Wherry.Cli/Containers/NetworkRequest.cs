using Wherry.Api.Contracts.Networks;
using Wherry.Cli.CommandLine;
using Wherry.Cli.Parsing;

namespace Wherry.Cli.Containers;

/// <summary>
/// The networks to connect to. The first is the container's network mode; the options about addresses and aliases
/// concern it. A network may also be given as fields: <c>name=mynet,alias=web,ip=10.0.0.9</c>.
/// </summary>
internal sealed class NetworkRequest
{
    internal NetworkRequest(ContainerOptions options, Invocation given)
    {
        var networks = given.ConvertAll(options.Network, Attachment.Parse);
        var first = networks.Count > 0 ? networks[0] : new Attachment { Name = "default" };
        if (networks.Count == 0)
        {
            networks.Add(first);
        }

        first.Aliases.AddRange(given.All(options.NetworkAlias));
        first.Links.AddRange(UserDefined(first.Name) ? given.All(options.Link) : []);
        first.Ip4 = given.Last(options.Ip) ?? first.Ip4;
        first.Ip6 = given.Last(options.Ip6) ?? first.Ip6;
        first.Mac = given.Last(options.MacAddress) ?? first.Mac;
        first.LinkLocal.AddRange(given.All(options.LinkLocalIp));
        if (first.Mac is { } mac && !HostSpec.IsMac(mac))
        {
            throw new UsageException($"{mac} is not a valid mac address");
        }

        if (first.Aliases.Count > 0 && !UserDefined(first.Name))
        {
            throw new UsageException("network-scoped aliases are only supported for user-defined networks");
        }

        Mode = first.Name;
        Config = new NetworkingConfig
        {
            EndpointsConfig = networks.DistinctBy(static n => n.Name, StringComparer.Ordinal).ToDictionary(static n => n.Name, static n => n.Settings(), StringComparer.Ordinal),
        };
    }

    internal string Mode { get; }

    internal NetworkingConfig Config { get; }

    private static bool UserDefined(string name)
        => name is not ("default" or "bridge" or "host" or "none") && !name.StartsWith("container:", StringComparison.Ordinal);

    private sealed class Attachment
    {
        internal string Name { get; set; } = "";

        internal List<string> Aliases { get; } = [];

        internal List<string> Links { get; } = [];

        internal List<string> LinkLocal { get; } = [];

        internal Dictionary<string, string> DriverOptions { get; } = new(StringComparer.Ordinal);

        internal string? Ip4 { get; set; }

        internal string? Ip6 { get; set; }

        internal string? Mac { get; set; }

        internal long Priority { get; set; }

        internal static Attachment Parse(string text)
        {
            var attachment = new Attachment();
            if (!text.Contains("name=", StringComparison.Ordinal))
            {
                attachment.Name = text;
                return attachment;
            }

            foreach (var field in CsvFields.Split(text))
            {
                var equals = field.IndexOf('=');
                var key = equals < 0 ? throw new FormatException($"invalid field {field}") : field[..equals].Trim().ToLowerInvariant();
                var value = field[(equals + 1)..].Trim();
                switch (key)
                {
                    case "name":
                        attachment.Name = value;
                        break;
                    case "alias":
                        attachment.Aliases.Add(value);
                        break;
                    case "ip":
                        attachment.Ip4 = value;
                        break;
                    case "ip6":
                        attachment.Ip6 = value;
                        break;
                    case "mac-address":
                        attachment.Mac = value;
                        break;
                    case "link-local-ip":
                        attachment.LinkLocal.Add(value);
                        break;
                    case "gw-priority":
                        attachment.Priority = Numbers.ParseInteger(value);
                        break;
                    case "driver-opt":
                        var split = value.IndexOf('=');
                        attachment.DriverOptions[split < 0 ? value : value[..split]] = split < 0 ? "" : value[(split + 1)..];
                        break;
                    default:
                        throw new FormatException($"invalid field key {key}");
                }
            }

            return attachment.Name.Length > 0 ? attachment : throw new FormatException("network name/id is not specified");
        }

        internal EndpointSettings Settings() => new()
        {
            Aliases = Aliases.Count == 0 ? null : Aliases,
            Links = Links.Count == 0 ? null : Links,
            MacAddress = Mac ?? "",
            DriverOpts = DriverOptions.Count == 0 ? null : DriverOptions,
            GwPriority = Priority,
            IPAMConfig = Ip4 is null && Ip6 is null && LinkLocal.Count == 0
                ? null
                : new EndpointIPAMConfig { IPv4Address = Ip4, IPv6Address = Ip6, LinkLocalIPs = LinkLocal.Count == 0 ? null : LinkLocal },
        };
    }
}
