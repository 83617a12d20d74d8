namespace Wherry.Runtime.Tests.Harness;

/// <summary>The ways in which containers are made. Each conformance test runs in all of them.</summary>
[Flags]
public enum RuntimeMode
{
    None = 0,

    /// <summary>By root, in the host's user namespace.</summary>
    Root = 1,

    /// <summary>By root, in a user namespace of the container's own.</summary>
    UserNamespaced = 2,

    /// <summary>By an ordinary user, in a user namespace of his own and subordinate ids.</summary>
    Rootless = 4,
}
