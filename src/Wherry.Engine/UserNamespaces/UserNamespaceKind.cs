namespace Wherry.Engine.UserNamespaces;

public enum UserNamespaceKind
{
    /// <summary>The host's own.</summary>
    Host,

    /// <summary>One of its own, with ids that no other container has.</summary>
    Auto,

    /// <summary>As <see cref="Auto"/>, but whoever makes the container is the same user inside.</summary>
    KeepId,

    /// <summary>One of its own, with the ids that were named.</summary>
    Range,

    /// <summary>Another container's.</summary>
    Container,
}
