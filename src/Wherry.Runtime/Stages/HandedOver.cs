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

    /// <summary>The cache's file with the compiled system call filter.</summary>
    public int Filter { get; init; } = -1;

    /// <summary>For each of the bundle's mounts, its source if it is a bind.</summary>
    public IReadOnlyList<int> Binds { get; init; } = [];

    /// <summary>For each volume that may have to be filled, its directory.</summary>
    public IReadOnlyList<int> CopyUps { get; init; } = [];

    public void WriteTo(WireWriter writer)
    {
        writer.Write(Config);
        writer.Write(Sandbox);
        writer.Write(Root);
        writer.Write(Filter);
        Write(writer, Binds);
        Write(writer, CopyUps);
    }

    public static HandedOver ReadFrom(ref WireReader reader)
    {
        var (config, sandbox, root, filter) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
        return new HandedOver { Config = config, Sandbox = sandbox, Root = root, Filter = filter, Binds = Read(ref reader), CopyUps = Read(ref reader) };
    }

    private static void Write(WireWriter writer, IReadOnlyList<int> numbers)
    {
        writer.Write(numbers.Count);
        foreach (var number in numbers)
        {
            writer.Write(number);
        }
    }

    private static int[] Read(ref WireReader reader)
    {
        var numbers = new int[reader.ReadCount()];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = reader.ReadInt32();
        }

        return numbers;
    }
}
