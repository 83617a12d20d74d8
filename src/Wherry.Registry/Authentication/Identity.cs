namespace Wherry.Registry.Authentication;

/// <summary>Who asks, and what they may do.</summary>
public sealed class Identity
{
    private readonly Func<string, RepositoryAction> _rights;

    private Identity(string? name, bool hasToken, Func<string, RepositoryAction> rights)
    {
        Name = name;
        HasToken = hasToken;
        _rights = rights;
    }

    /// <summary>Of a registry that asks nobody who they are.</summary>
    public static Identity Everybody { get; } = new("anonymous", hasToken: false, _ => RepositoryAction.All);

    /// <summary>Null for somebody who hasn't said.</summary>
    public string? Name { get; }

    /// <summary>The rights are a token's: another token may have more.</summary>
    public bool HasToken { get; }

    /// <summary>May run the registry's own operations: whoever may delete everything.</summary>
    public bool IsAdministrator => _rights(AccessRules.Everything).HasFlag(RepositoryAction.All);

    public static Identity WithRules(string? name, AccessRules rules) => new(name, hasToken: false, repository => rules.Of(name, repository));

    public static Identity WithToken(string name, TokenGrants grants) => new(name.Length == 0 ? null : name, hasToken: true, grants.Of);

    public bool May(string repository, RepositoryAction action) => _rights(repository).HasFlag(action);

    public override string ToString() => Name ?? "anonymous";
}
