using Wherry.Api.Contracts.Containers;
using Wherry.Errors;

namespace Wherry.Engine.Containers;

/// <summary>Containers whose namespaces another one joins: <c>container:NAME</c> as a mode.</summary>
internal static class Peer
{
    private const string Prefix = "container:";

    /// <summary>Null for any other mode.</summary>
    public static string? NameIn(string mode) => mode.StartsWith(Prefix, StringComparison.Ordinal) ? mode[Prefix.Length..] : null;

    /// <summary>At a container's creation: those named must exist, and share what is asked of them.</summary>
    /// <exception cref="WherryException">InvalidParameter: rather than NotFound, which of a create request means the image to stock clients, which then try to pull it.</exception>
    public static void Require(ContainerRegistry registry, HostConfig host)
    {
        foreach (var (mode, doing) in new[] { (host.NetworkMode, "cannot join network of a non existing container"), (host.PidMode, "can't join PID namespace of a non existing container"), (host.IpcMode, "can't join IPC of a non existing container") })
        {
            if (NameIn(mode) is { } name && registry.Find(name) is null)
            {
                throw WherryException.Invalid($"{doing}: No such container: {name}");
            }
        }

        if (NameIn(host.IpcMode) is { } donor)
        {
            RequireShareable(registry.Get(donor));
        }
    }

    /// <summary>At a container's start: the one named, which must run.</summary>
    /// <param name="registry">All containers.</param>
    /// <param name="mode">Any mode; null comes back for those that name no container.</param>
    /// <param name="what">What is joined, for messages.</param>
    /// <exception cref="WherryException">NotFound; Conflict: it does not run.</exception>
    public static Container? Running(ContainerRegistry registry, string mode, string what)
    {
        if (NameIn(mode) is not { } name)
        {
            return null;
        }

        var peer = registry.Find(name) ?? throw WherryException.NotFound($"cannot join {what} of a non existing container: {name}");
        return peer.Sandbox?.HostPid is not null && peer.Life.IsAlive
            ? peer
            : throw WherryException.Conflict($"cannot join {what} of a non running container: {peer.Id}");
    }

    /// <summary>The path of a running one's namespace; null without one.</summary>
    public static string? PathOf(Container? peer, string file) => peer?.Sandbox?.HostPid is { } pid ? $"/proc/{pid}/ns/{file}" : null;

    private static void RequireShareable(Container donor)
    {
        if (donor.Record.Host.IpcMode is "private" or "none")
        {
            throw WherryException.Invalid($"can't join IPC of container {donor.Id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)");
        }
    }
}
