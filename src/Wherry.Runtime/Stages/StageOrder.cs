using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Runtime.Stages;

/// <summary>What a stage is told when it begins, beyond what is in its bundle; the defaults are what the supervisor wants.</summary>
public sealed record StageOrder
{
    public string Bundle { get; init; } = "";

    public string CgroupsPath { get; init; } = "";

    /// <summary>The first process lives on when its maker ends.</summary>
    public bool OutlivesMaker { get; init; }

    /// <summary>Fail before the stage reports that it is ready, rather than at the start, when the program isn't there or can't be executed.</summary>
    public bool FindProgramFirst { get; init; }

    /// <summary>Variables the program's environment gets beyond the bundle's.</summary>
    public IReadOnlyList<string> ExtraEnvironment { get; init; } = [];

    public void WriteTo(WireWriter writer)
    {
        writer.Write(Bundle);
        writer.Write(CgroupsPath);
        writer.Write(OutlivesMaker);
        writer.Write(FindProgramFirst);
        writer.Write(ExtraEnvironment);
    }

    public static StageOrder ReadFrom(ref WireReader reader) => new()
    {
        Bundle = reader.ReadString(),
        CgroupsPath = reader.ReadString(),
        OutlivesMaker = reader.ReadBool(),
        FindProgramFirst = reader.ReadBool(),
        ExtraEnvironment = reader.ReadStrings(),
    };
}
