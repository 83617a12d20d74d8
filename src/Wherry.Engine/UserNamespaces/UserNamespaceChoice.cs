using Wherry.Api.Contracts.Containers;
using Wherry.Engine.Containers;
using Wherry.Engine.State;
using Wherry.Errors;
using Wherry.Linux.Processes;

namespace Wherry.Engine.UserNamespaces;

/// <summary>
/// Chooses the user namespace of each new container. The ids that are in use follow from the containers' records alone;
/// what was chosen for a container that has no record yet is kept here until it has.
/// </summary>
internal sealed class UserNamespaceChoice(EngineOptions options, ContainerRegistry registry, UserNamespaceSupport support)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, IdRecord> _pending = new(StringComparer.Ordinal);
    private readonly string _default = options.UserNamespaces;
    private readonly SubordinateIds _ids = options.SubordinateIds ?? SubordinateIds.OfHost();

    /// <summary>The mode that counts, and its ids; null in the host's user namespace.</summary>
    /// <param name="host">As asked for.</param>
    /// <param name="caller">Null where it is not known.</param>
    /// <param name="id">The container's; <see cref="Settle"/> must follow.</param>
    /// <exception cref="WherryException">InvalidParameter, Conflict or Unsupported.</exception>
    public (string Mode, IdRecord? Ids) Choose(HostConfig host, Caller? caller, string id)
    {
        var text = host.UsernsMode.Length > 0 ? host.UsernsMode : Implied(host);
        var mode = UserNamespaceMode.Parse(text);
        if (mode.Kind == UserNamespaceKind.Host)
        {
            return (host.UsernsMode, null);
        }

        RefuseWhatNeedsTheHosts(host);
        support.Require();
        if (mode.Kind == UserNamespaceKind.Container)
        {
            var (peer, ids) = Join(mode.Peer, host);
            return (UserNamespaceMode.Of(peer), ids);
        }

        if (Peers(host).FirstOrDefault() is { } joined)
        {
            throw WherryException.Invalid($"cannot join a namespace of container {joined}, which has another user namespace: use --userns container:{joined}, or host");
        }

        lock (_lock)
        {
            return (text, _pending[id] = Take(mode, caller));
        }
    }

    /// <summary>The container has its record now, or will never have one.</summary>
    public void Settle(string id)
    {
        lock (_lock)
        {
            _pending.Remove(id);
        }
    }

    /// <summary>Who the container's program is unless someone says otherwise; null for the image's user.</summary>
    public static string? UserOf(string mode, Caller? caller) =>
        mode.Length > 0 && UserNamespaceMode.Parse(mode) is { Kind: UserNamespaceKind.KeepId } keep && caller is var (uid, gid)
            ? $"{keep.Uid ?? uid}:{keep.Gid ?? gid}"
            : null;

    // Who joins another container's namespaces and says nothing means that container's user namespace too.
    private string Implied(HostConfig host) =>
        Peers(host).Select(registry.Find).FirstOrDefault(peer => peer?.Record.Ids is not null) is { } peer
            ? UserNamespaceMode.Of(peer.Id)
            : _default;

    private static void RefuseWhatNeedsTheHosts(HostConfig host)
    {
        Refuse(host.Privileged, "privileged mode is incompatible with user namespaces. You must run the container in the host namespace when running privileged mode");
        Refuse(host.NetworkMode == "host", "cannot share the host's network namespace when user namespaces are enabled");
        Refuse(host.PidMode == "host", "cannot share the host PID namespace when user namespaces are enabled");
    }

    private (string Peer, IdRecord Ids) Join(string name, HostConfig host)
    {
        var peer = registry.Find(name) ?? throw WherryException.Invalid($"cannot join the user namespace of a non existing container: {name}");
        var ids = peer.Record.Ids ?? throw WherryException.Invalid($"--userns container:{name}: that container is in the host's user namespace");
        var owner = OwnerOf(peer.Record);
        foreach (var other in Peers(host))
        {
            Refuse(
                registry.Find(other) is { } joined && OwnerOf(joined.Record) != owner,
                $"cannot join a namespace of container {other}: its user namespace is not that of container {name}");
        }

        return (peer.Id, ids);
    }

    /// <summary>The container a user namespace was made for; null for the host's.</summary>
    private string? OwnerOf(ContainerRecord record)
    {
        while (record.Ids is not null && UserNamespaceMode.Parse(record.Host.UsernsMode) is { Kind: UserNamespaceKind.Container } mode)
        {
            if (registry.Find(mode.Peer) is not { } next)
            {
                return mode.Peer;
            }

            record = next.Record;
        }

        return record.Ids is null ? null : record.Id;
    }

    private IdRecord Take(UserNamespaceMode mode, Caller? caller)
    {
        var records = registry.Snapshot().Select(container => container.Record.Ids).OfType<IdRecord>().Concat(_pending.Values).ToArray();
        switch (mode.Kind)
        {
            case UserNamespaceKind.Range:
                var own = records.Where(record => !record.IsShared).ToArray();
                RefuseOverlap(mode.Users, Spans(own, record => record.Users));
                RefuseOverlap(mode.Groups, Spans(own, record => record.Groups));
                return new IdRecord([new(0, mode.Users.First, mode.Users.Count)], [new(0, mode.Groups.First, mode.Groups.Count)], IsShared: true);
            case UserNamespaceKind.KeepId:
                var (uid, gid) = RequireOrdinary(caller);
                return new IdRecord(
                    IdAllocator.AllocateAround(_ids.Users, Spans(records, record => record.Users), mode.Size, mode.Uid ?? uid, uid),
                    IdAllocator.AllocateAround(_ids.Groups, Spans(records, record => record.Groups), mode.Size, mode.Gid ?? gid, gid),
                    IsShared: false);
            default:
                return new IdRecord(
                    IdAllocator.Allocate(_ids.Users, Spans(records, record => record.Users), mode.Size),
                    IdAllocator.Allocate(_ids.Groups, Spans(records, record => record.Groups), mode.Size),
                    IsShared: false);
        }
    }

    private static (uint Uid, uint Gid) RequireOrdinary(Caller? caller) => caller switch
    {
        null => throw WherryException.Invalid("--userns keep-id: who asks is only known over a unix socket: use one, or auto, or a range of ids"),
        { Uid: 0 } or { Gid: 0 } => throw WherryException.Invalid("--userns keep-id: root asks, and would be the host's root in the container: use auto, a range of ids, or host"),
        var (uid, gid) => (uid, gid),
    };

    private static void RefuseOverlap(IdSpan asked, IReadOnlyList<IdSpan> taken)
    {
        foreach (var span in taken)
        {
            if (span.Overlaps(asked))
            {
                throw WherryException.Conflict($"--userns: of the ids {asked.First}:{asked.Count} another container was given {span.First}:{span.Count} for itself alone");
            }
        }
    }

    private static IdSpan[] Spans(IReadOnlyList<IdRecord> records, Func<IdRecord, IReadOnlyList<IdRange>> ranges) =>
        [.. records.SelectMany(ranges).Select(range => new IdSpan(range.Outside, range.Count))];

    /// <summary>Containers whose namespaces are joined, as the user named them.</summary>
    private static IEnumerable<string> Peers(HostConfig host) =>
        from mode in (string[])[host.NetworkMode, host.PidMode, host.IpcMode]
        let peer = Peer.NameIn(mode)
        where peer is not null
        select peer;

    private static void Refuse(bool isWrong, string message)
    {
        if (isWrong)
        {
            throw WherryException.Invalid(message);
        }
    }
}
