using Wherry.Linux.Polling;

namespace Wherry.Shim.Supervision;

/// <summary>Told when something happens on the descriptor it was registered for.</summary>
public interface IPollHandler
{
    void OnEvents(PollEvents events);
}

/// <summary>The supervisor's only loop: one thread, one epoll instance.</summary>
public sealed class EventLoop : IDisposable
{
    private readonly EventPoll _poll = new();
    private readonly Dictionary<int, Registration> _registrations = [];
    private uint _generation;

    /// <summary>Watches a descriptor, or changes what it is watched for. None means nothing at all, not even hang-ups.</summary>
    public void Watch(int fd, PollEvents events, IPollHandler handler)
    {
        var known = _registrations.TryGetValue(fd, out var registration);
        if (events == PollEvents.None)
        {
            Forget(fd);
            return;
        }

        if (known && registration.Events == events && ReferenceEquals(registration.Handler, handler))
        {
            return;
        }

        // The generation tells an event of a descriptor from one of an earlier owner of its number, closed within the same batch.
        var tag = ((ulong)++_generation << 32) | (uint)fd;
        if (known)
        {
            _poll.Change(fd, events, tag);
        }
        else
        {
            _poll.Watch(fd, events, tag);
        }

        _registrations[fd] = new Registration(handler, events, tag);
    }

    /// <summary>Stops watching; call before the descriptor is closed.</summary>
    public void Forget(int fd)
    {
        if (_registrations.Remove(fd))
        {
            _poll.Forget(fd);
        }
    }

    /// <summary>Waits once and hands out what came; false if nothing came in time.</summary>
    public bool RunOnce(int timeoutMilliseconds)
    {
        var count = _poll.Wait(timeoutMilliseconds);
        for (var i = 0; i < count; i++)
        {
            var (events, tag) = _poll[i];
            if (_registrations.TryGetValue((int)(uint)tag, out var registration) && registration.Tag == tag)
            {
                registration.Handler.OnEvents(events);
            }
        }

        return count > 0;
    }

    public void Dispose() => _poll.Dispose();

    private readonly record struct Registration(IPollHandler Handler, PollEvents Events, ulong Tag);
}
