using Wherry.Runtime.Contracts.Protocol;

namespace Wherry.Runtime.Stages;

/// <summary>What a stage is told when it begins, beyond what is in its bundle; the defaults are what the supervisor wants.</summary>
public sealed record StageOrder
{
    public string Bundle { get; init; } = "";

    /// <summary>Empty where the container has no cgroup of its own.</summary>
    public string CgroupsPath { get; init; } = "";

    /// <summary>The first process lives on when its maker ends.</summary>
    public bool OutlivesMaker { get; init; }

    /// <summary>Fail before the stage reports that it is ready, rather than at the start, when the program isn't there or can't be executed.</summary>
    public bool FindProgramFirst { get; init; }

    /// <summary>Variables the program's environment gets beyond the bundle's.</summary>
    public IReadOnlyList<string> ExtraEnvironment { get; init; } = [];

    /// <summary>The program keeps its maker's supplementary groups instead of getting the configuration's.</summary>
    public bool KeepsGroups { get; init; }

    /// <summary>The container's id, for hooks.</summary>
    public string Id { get; init; } = "";

    /// <summary>A socket of the host's, bound into the container, through which the program says that it is ready (sd_notify(3)); null for none.</summary>
    public string? NotifySocket { get; init; }

    /// <summary>The mount namespace to join, by the number of its descriptor; −1 for none.</summary>
    public int MountNamespace { get; init; } = -1;

    /// <summary>The root file system where its maker has made it, attached nowhere, by the number of its descriptor; −1 for none.</summary>
    public int Root { get; init; } = -1;

    /// <summary>Enter the root by moving it over the host's rather than by pivot_root.</summary>
    public bool NoPivot { get; init; }

    /// <summary>Give the container a session keyring of its own, named after its id.</summary>
    public bool NewKeyring { get; init; }

    /// <summary>A file with the container's seccomp filter, compiled already; null to do as the bundle says.</summary>
    public string? FilterFile { get; init; }

    /// <summary>The maker has looked the bundle through, limited the cgroup, and put the stage into its cgroup namespace if it has one.</summary>
    public bool IsLimited { get; init; }

    /// <summary>What the maker has left out, for the stage to report.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>In a user namespace, what its maker has done for it; null otherwise, and where the maker could do no more than the stage.</summary>
    public HandedOver? HandedOver { get; init; }

    public void WriteTo(WireWriter writer)
    {
        writer.Write(Bundle);
        writer.Write(CgroupsPath);
        writer.Write(OutlivesMaker);
        writer.Write(FindProgramFirst);
        writer.Write(ExtraEnvironment);
        writer.Write(KeepsGroups);
        writer.Write(Id);
        writer.Write(NotifySocket);
        writer.Write(MountNamespace);
        writer.Write(Root);
        writer.Write(NoPivot);
        writer.Write(NewKeyring);
        writer.Write(FilterFile);
        writer.Write(IsLimited);
        writer.Write(Warnings);
        writer.Write(HandedOver is not null);
        HandedOver?.WriteTo(writer);
    }

    public static StageOrder ReadFrom(ref WireReader reader) => new()
    {
        Bundle = reader.ReadString(),
        CgroupsPath = reader.ReadString(),
        OutlivesMaker = reader.ReadBool(),
        FindProgramFirst = reader.ReadBool(),
        ExtraEnvironment = reader.ReadStrings(),
        KeepsGroups = reader.ReadBool(),
        Id = reader.ReadString(),
        NotifySocket = reader.ReadOptionalString(),
        MountNamespace = reader.ReadInt32(),
        Root = reader.ReadInt32(),
        NoPivot = reader.ReadBool(),
        NewKeyring = reader.ReadBool(),
        FilterFile = reader.ReadOptionalString(),
        IsLimited = reader.ReadBool(),
        Warnings = reader.ReadStrings(),
        HandedOver = reader.ReadBool() ? HandedOver.ReadFrom(ref reader) : null,
    };
}
