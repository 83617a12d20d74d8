namespace Wherry.Engine.UserNamespaces;

/// <summary>Who asks the engine, as the kernel says (SO_PEERCRED).</summary>
public readonly record struct Caller(uint Uid, uint Gid);
