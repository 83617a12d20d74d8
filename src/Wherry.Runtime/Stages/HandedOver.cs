using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Runtime.Stages;

/// <summary>
/// What a stage in a user namespace is given by its maker, since it could not get at it with the rights it has
/// there: descriptors, by the numbers it finds them at. −1 is none.
/// </summary>
public sealed record HandedOver
{
    public int Config { get; init; } = -1;

    public int Sandbox { get; init; } = -1;

    /// <summary>The root file system, attached nowhere.</summary>
    public int Root { get; init; } = -1;

    /// <summary>For each of the bundle's mounts, its source if it is a bind.</summary>
    public IReadOnlyList<int> Binds { get; init; } = [];

    public void WriteTo(WireWriter writer)
    {
        writer.Write(Config);
        writer.Write(Sandbox);
        writer.Write(Root);
        writer.Write(Binds.Count);
        foreach (var bind in Binds)
        {
            writer.Write(bind);
        }
    }

    public static HandedOver ReadFrom(ref WireReader reader)
    {
        var (config, sandbox, root) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
        var binds = new int[reader.ReadCount()];
        for (var i = 0; i < binds.Length; i++)
        {
            binds[i] = reader.ReadInt32();
        }

        return new HandedOver { Config = config, Sandbox = sandbox, Root = root, Binds = binds };
    }
}
