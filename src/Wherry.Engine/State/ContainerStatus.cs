namespace Wherry.Engine.State;

/// <summary>Where a container is in its life. Only <c>Container</c> changes it.</summary>
public enum ContainerStatus
{
    /// <summary>Made, never started.</summary>
    Created,

    /// <summary>A start is under way: the supervisor exists, the program may not.</summary>
    Starting,

    /// <summary>The program runs.</summary>
    Running,

    /// <summary>The program is frozen.</summary>
    Paused,

    /// <summary>The program ended, or could not be started.</summary>
    Exited,

    /// <summary>Removal has begun; nothing but removal is possible.</summary>
    Removing,
}
