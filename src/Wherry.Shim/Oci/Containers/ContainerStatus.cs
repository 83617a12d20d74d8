namespace Wherry.Shim.Oci.Containers;

/// <summary>Where a container stands (runtime-spec, runtime.md, "State").</summary>
public enum ContainerStatus
{
    /// <summary>A create is making it at this moment.</summary>
    Creating,

    /// <summary>Its first process waits for the word to start.</summary>
    Created,

    /// <summary>Its program runs.</summary>
    Running,

    /// <summary>Its processes are frozen.</summary>
    Paused,

    /// <summary>Its first process has ended, or a create was killed before there was one.</summary>
    Stopped,
}

public static class ContainerStatusNames
{
    public static string Text(this ContainerStatus status) => status switch
    {
        ContainerStatus.Creating => "creating",
        ContainerStatus.Created => "created",
        ContainerStatus.Running => "running",
        ContainerStatus.Paused => "paused",
        _ => "stopped",
    };
}
