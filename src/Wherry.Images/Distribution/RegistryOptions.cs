namespace Wherry.Images.Distribution;

/// <summary>How registries are reached: the engine's configuration.</summary>
public sealed record RegistryOptions
{
    /// <summary>Asked before Docker's own registry: <c>https://host[:port][/prefix]</c>.</summary>
    public IReadOnlyList<string> Mirrors { get; init; } = [];

    /// <summary>Registries whose certificate need not be valid, or that speak plain HTTP: hosts with or without a port, or ranges of addresses.</summary>
    public IReadOnlyList<string> InsecureRegistries { get; init; } = [];

    /// <summary>Rules by registry, repository prefix (<c>registry/path</c>), or <c>*</c>. The longest that fits holds.</summary>
    public IReadOnlyDictionary<string, RegistryRule> Registries { get; init; } = new Dictionary<string, RegistryRule>();

    /// <summary>Each has a directory per <c>host[:port]</c> with <c>*.crt</c> (authorities) and <c>*.cert</c>, <c>*.key</c> (clients).</summary>
    public IReadOnlyList<string> CertificateDirectories { get; init; } = ["/etc/wherry/certs.d", "/etc/docker/certs.d"];

    public int MaxConcurrentDownloads { get; init; } = 3;

    public int MaxConcurrentUploads { get; init; } = 5;

    /// <summary>How often a request is tried, and a transfer gone on with that made no progress.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>Before the second try; doubled for each further one.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest wait a registry may ask for; one that wants more is an error the user hears of.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Until the head of an answer is there.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Without a byte, while a body comes in.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>What holds for a registry or for a part of its repositories.</summary>
public sealed record RegistryRule
{
    /// <summary>Asked first, in order: <c>https://host[:port][/prefix]</c>; the repository's path follows the prefix.</summary>
    public IReadOnlyList<string> Mirrors { get; init; } = [];

    /// <summary>Where the repositories really are: <c>host[:port][/prefix]</c> stands for the rule's own name. Null for no change.</summary>
    public string? Location { get; init; }

    /// <summary>Null leaves it to <see cref="RegistryOptions.InsecureRegistries"/>.</summary>
    public bool? Insecure { get; init; }

    /// <summary>Public keys (PEM files), one of which must have signed an image that is pulled. Null accepts unsigned images, empty none at all.</summary>
    public IReadOnlyList<string>? SignedBy { get; init; }
}

/// <summary>What a user logs in to a registry with.</summary>
public sealed record RegistryCredentials
{
    public string? Username { get; init; }

    public string? Password { get; init; }

    /// <summary>A refresh token the registry gave at login.</summary>
    public string? IdentityToken { get; init; }

    /// <summary>A bearer token to be used as it is.</summary>
    public string? RegistryToken { get; init; }

    public string? ServerAddress { get; init; }

    internal bool HasPassword => !string.IsNullOrEmpty(Username) && Password is not null;

    internal bool IsEmpty => !HasPassword && string.IsNullOrEmpty(IdentityToken) && string.IsNullOrEmpty(RegistryToken);
}
