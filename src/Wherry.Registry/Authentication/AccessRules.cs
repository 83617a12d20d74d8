using Wherry.Registry.Names;

namespace Wherry.Registry.Authentication;

/// <summary>What can be done with a repository.</summary>
[Flags]
public enum RepositoryAction
{
    None = 0,
    Pull = 1,
    Push = 2,
    Delete = 4,
    All = Pull | Push | Delete,
}

/// <summary>The actions' names, as tokens and configuration spell them.</summary>
public static class RepositoryActions
{
    public static RepositoryAction? TryParse(string text) => text switch
    {
        "pull" => RepositoryAction.Pull,
        "push" => RepositoryAction.Push,
        "delete" => RepositoryAction.Delete,
        "*" => RepositoryAction.All,
        _ => null,
    };

    public static IReadOnlyList<string> Names(this RepositoryAction actions)
    {
        var names = new List<string>(3);
        if (actions.HasFlag(RepositoryAction.Pull))
        {
            names.Add("pull");
        }

        if (actions.HasFlag(RepositoryAction.Push))
        {
            names.Add("push");
        }

        if (actions.HasFlag(RepositoryAction.Delete))
        {
            names.Add("delete");
        }

        return names;
    }
}

/// <summary>Lets somebody do something with some repositories.</summary>
/// <param name="User">A name; <c>*</c> for everybody who has proved to be somebody; empty for everybody.</param>
/// <param name="Repositories">Which.</param>
/// <param name="Actions">What.</param>
public sealed record AccessRule(string User, RepositoryPattern Repositories, RepositoryAction Actions);

/// <summary>Who may do what: the sum of the rules that fit. Without any rule, whoever has a name may do everything.</summary>
public sealed class AccessRules(IReadOnlyList<AccessRule> rules)
{
    /// <summary>In place of a repository: everything there is, which only a rule for <c>**</c> covers.</summary>
    public const string Everything = "*";

    /// <param name="user">Null for somebody without a name.</param>
    /// <param name="repository">A name, or <see cref="Everything"/>.</param>
    public RepositoryAction Of(string? user, string repository)
    {
        if (rules.Count == 0)
        {
            return user is null ? RepositoryAction.None : RepositoryAction.All;
        }

        return rules
            .Where(rule => rule.User.Length == 0 || (user is not null && (rule.User == "*" || rule.User == user)))
            .Where(rule => repository == Everything ? rule.Repositories == RepositoryPattern.All : rule.Repositories.Matches(repository))
            .Aggregate(RepositoryAction.None, (sum, rule) => sum | rule.Actions);
    }
}
