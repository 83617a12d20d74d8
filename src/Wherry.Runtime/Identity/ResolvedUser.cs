namespace Wherry.Runtime.Identity;

/// <summary>Whom a program runs as.</summary>
/// <param name="Home">From the container's passwd file, / where it has no entry.</param>
public sealed record ResolvedUser(uint Uid, uint Gid, IReadOnlyList<uint> Groups, string Home);
