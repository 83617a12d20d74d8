using Wherry.Linux;
using Wherry.Linux.Cgroups;
using Wherry.Oci.Runtime;

namespace Wherry.Runtime.Stages;

/// <summary>What a container's first process is made of. Descriptors stay the caller's.</summary>
public sealed record StageRequest
{
    /// <summary>The bundle's directory.</summary>
    public required string Bundle { get; init; }

    /// <summary>Made already; joined by the new process before anything else.</summary>
    public required CgroupDirectories Cgroup { get; init; }

    /// <summary>Its path, for the stage.</summary>
    public required string CgroupsPath { get; init; }

    /// <summary>Namespaces to make or join.</summary>
    public required IReadOnlyList<Namespace> Namespaces { get; init; }

    public required FileDescriptor Stdin { get; init; }

    public required FileDescriptor Stdout { get; init; }

    public required FileDescriptor Stderr { get; init; }

    /// <summary>The first process lives on when its maker ends; else the kernel kills it with its maker.</summary>
    public bool OutlivesMaker { get; init; }

    /// <summary>
    /// A listening socket at which the stage waits for the word to start once its maker has said
    /// <see cref="Contracts.Protocol.MessageKind.StageDetach"/>; null when the maker gives the word itself.
    /// </summary>
    public FileDescriptor? Listener { get; init; }

    /// <summary>How many of this process's descriptors, from 3 on, the program inherits.</summary>
    public int PreservedDescriptors { get; init; }

    /// <summary>The root file system is made by the caller's process, not by the stage.</summary>
    public bool MakesRoot { get; init; }

    public StageOrder Order { get; init; } = new();
}
