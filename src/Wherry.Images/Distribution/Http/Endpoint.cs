using System.Net;
using Wherry.Errors;

namespace Wherry.Images.Distribution.Http;

/// <summary>One place where a repository may be found.</summary>
/// <param name="Scheme"><c>https</c>, or <c>http</c> where that is allowed.</param>
/// <param name="Authority">Host, with its port where it is not the scheme's.</param>
/// <param name="Repository">The repository's path there; empty when the registry itself is meant.</param>
/// <param name="IsMirror">Another may have what this one lacks, and the user's credentials are not for it.</param>
/// <param name="AnyCertificate">By explicit configuration, the certificate proves nothing.</param>
internal sealed record Endpoint(string Scheme, string Authority, string Repository, bool IsMirror, bool AnyCertificate)
{
    /// <summary>Credentials from a mirror's address.</summary>
    internal RegistryCredentials? OwnCredentials { get; init; }

    internal Uri Root => new($"{Scheme}://{Authority}/v2/");

    internal Uri Of(string rest) => new($"{Scheme}://{Authority}/v2/{Repository}/{rest}");

    public override string ToString() => Authority;
}

/// <summary>From a registry's name to the places to ask, in order. A pure function of the configuration.</summary>
internal sealed class EndpointResolver(RegistryOptions options)
{
    private const string DockerDomain = "docker.io";
    private const string DockerHost = "registry-1.docker.io";

    /// <summary>Mirrors first, then the registry itself; the registry alone for what is written.</summary>
    internal IReadOnlyList<Endpoint> Resolve(string domain, string path, bool forWriting)
    {
        var (key, rule) = RuleOf(domain, path);
        var found = new List<Endpoint>();
        if (!forWriting)
        {
            IEnumerable<string> mirrors = domain == DockerDomain ? [.. rule.Mirrors, .. options.Mirrors] : rule.Mirrors;
            found.AddRange(mirrors.Distinct(StringComparer.OrdinalIgnoreCase).Select(mirror => Mirror(mirror, path)));
        }
        var (host, repository) = Locate(domain, path, key, rule);
        if (!(rule.Insecure ?? IsInsecure(host)))
            return [.. found, new Endpoint("https", host, repository, IsMirror: false, AnyCertificate: false)];
        return
        [
            .. found,
            new Endpoint("https", host, repository, IsMirror: false, AnyCertificate: true),
            new Endpoint("http", host, repository, IsMirror: false, AnyCertificate: true),
        ];
    }

    /// <summary>The rule with the longest name that fits, and that name.</summary>
    internal (string Key, RegistryRule Rule) RuleOf(string domain, string path)
    {
        var whole = path.Length == 0 ? domain : $"{domain}/{path}";
        for (var name = whole; ; name = name[..name.LastIndexOf('/')])
        {
            if (options.Registries.TryGetValue(name, out var rule))
                return (name, rule);
            if (!name.Contains('/'))
                break;
        }
        return ("*", options.Registries.GetValueOrDefault("*") ?? new RegistryRule());
    }

    internal bool IsInsecure(string authority)
    {
        var host = HostOf(authority);
        var address = IPAddress.TryParse(host.Trim('[', ']'), out var parsed) ? parsed : null;
        if (host == "localhost" || (address is not null && IPAddress.IsLoopback(address)))
            return true;
        return options.InsecureRegistries.Any(entry =>
            entry == authority || entry == host
            || (address is not null && entry.Contains('/') && IPNetwork.TryParse(entry, out var range) && range.Contains(address)));
    }

    private static (string Host, string Repository) Locate(string domain, string path, string key, RegistryRule rule)
    {
        if (rule.Location is null)
            return (domain == DockerDomain ? DockerHost : domain, path);
        var whole = path.Length == 0 ? domain : $"{domain}/{path}";
        var moved = rule.Location + whole[key.Length..];
        var slash = moved.IndexOf('/');
        return slash < 0 ? (moved, "") : (moved[..slash], moved[(slash + 1)..]);
    }

    private Endpoint Mirror(string address, string path)
    {
        var uri = new Uri(RegistryRules.CheckMirror(address));
        var authority = uri.IsDefaultPort ? uri.Host : $"{uri.Host}:{uri.Port}";
        var prefix = uri.AbsolutePath.Trim('/');
        var user = uri.UserInfo.Split(':', 2);
        return new Endpoint(uri.Scheme, authority, prefix.Length == 0 ? path : $"{prefix}/{path}", IsMirror: true, AnyCertificate: uri.Scheme == "http" || IsInsecure(authority))
        {
            OwnCredentials = user.Length == 2
                ? new RegistryCredentials { Username = Uri.UnescapeDataString(user[0]), Password = Uri.UnescapeDataString(user[1]) }
                : null,
        };
    }

    private static string HostOf(string authority)
    {
        if (authority.StartsWith('['))
            return authority.IndexOf(']') is var end and > 0 ? authority[..(end + 1)] : throw WherryException.Invalid($"\"{authority}\" is not a host");
        return authority.IndexOf(':') is var colon and >= 0 ? authority[..colon] : authority;
    }
}
