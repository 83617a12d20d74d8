using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Wherry.Linux.Inotify;

/// <summary>
/// Calls back when files of a directory are written, made or moved in. All watches share one inotify instance
/// and one thread, both made with the first watch, so a thousand followers cost what one does.
/// </summary>
public sealed class DirectoryWatcher
{
    /// <summary>The process's one watcher; the per-user limit on inotify instances is low (128 by default).</summary>
    public static readonly DirectoryWatcher Shared = new();

    private readonly Lock _lock = new();
    private readonly Dictionary<int, List<Subscription>> _subscriptions = [];
    private FileDescriptor? _inotify;

    private DirectoryWatcher()
    {
    }

    /// <summary>
    /// Calls <paramref name="changed"/> after changes until the result is disposed. Calls come from the watcher's
    /// thread and may come late by one after disposal: they must be quick and harmless.
    /// </summary>
    /// <returns>Null when the kernel gives no watch (limit reached, directory gone): the caller must look by itself.</returns>
    public IDisposable? TryWatch(string directory, Action changed)
    {
        lock (_lock)
        {
            if (_inotify is null && !TryStart())
            {
                return null;
            }

            const uint mask = InotifySyscalls.Modify | InotifySyscalls.Create | InotifySyscalls.MovedTo | InotifySyscalls.OnlyDirectory;
            var watch = InotifySyscalls.AddWatch(_inotify!.Number, directory, mask);
            if (watch < 0)
            {
                return null;
            }

            var subscription = new Subscription(this, watch, changed);
            if (_subscriptions.TryGetValue(watch, out var others))
            {
                others.Add(subscription);
            }
            else
            {
                _subscriptions[watch] = [subscription];
            }

            return subscription;
        }
    }

    private bool TryStart()
    {
        var fd = InotifySyscalls.Init(InotifySyscalls.CloseOnExec);
        if (fd < 0)
        {
            return false;
        }

        _inotify = new FileDescriptor(fd);
        new Thread(Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "directory watcher" }.Start();
        return true;
    }

    private void Run()
    {
        var fd = _inotify!.Number;
        var buffer = new byte[64 * 1024];
        while (true)
        {
            int read;

            // SAFETY: the kernel writes at most buffer.Length bytes into the pinned array during the call.
            unsafe
            {
                fixed (byte* start = buffer)
                {
                    read = (int)InotifySyscalls.Read(fd, start, (nuint)buffer.Length);
                }
            }

            if (read > 0)
            {
                Dispatch(buffer.AsSpan(0, read));
            }
            else if (Marshal.GetLastPInvokeError() != Errno.EINTR)
            {
                // The descriptor is never closed and the buffer fits any event: not reachable on a working kernel.
                return;
            }
        }
    }

    private void Dispatch(ReadOnlySpan<byte> events)
    {
        var last = 0;
        while (events.Length >= InotifySyscalls.EventHeaderSize)
        {
            var watch = BinaryPrimitives.ReadInt32LittleEndian(events);
            var mask = BinaryPrimitives.ReadUInt32LittleEndian(events[4..]);
            var nameLength = (int)BinaryPrimitives.ReadUInt32LittleEndian(events[12..]);
            events = events[(InotifySyscalls.EventHeaderSize + nameLength)..];

            // A burst of writes to one file is one call.
            if (watch != last || (mask & (InotifySyscalls.QueueOverflow | InotifySyscalls.Ignored)) != 0)
            {
                Notify(watch, mask);
                last = watch;
            }
        }
    }

    private void Notify(int watch, uint mask)
    {
        Subscription[] called;
        lock (_lock)
        {
            if ((mask & InotifySyscalls.QueueOverflow) != 0)
            {
                called = [.. _subscriptions.Values.SelectMany(list => list)];
            }
            else
            {
                called = _subscriptions.TryGetValue(watch, out var subscribers) ? [.. subscribers] : [];
                if ((mask & InotifySyscalls.Ignored) != 0)
                {
                    // The directory is gone, and the kernel's watch with it.
                    _subscriptions.Remove(watch);
                }
            }
        }

        foreach (var subscription in called)
        {
            subscription.Changed();
        }
    }

    private void Remove(Subscription subscription)
    {
        lock (_lock)
        {
            if (_subscriptions.TryGetValue(subscription.Watch, out var subscribers)
                && subscribers.Remove(subscription)
                && subscribers.Count == 0)
            {
                _subscriptions.Remove(subscription.Watch);
                _ = InotifySyscalls.RemoveWatch(_inotify!.Number, subscription.Watch);
            }
        }
    }

    private sealed class Subscription(DirectoryWatcher owner, int watch, Action changed) : IDisposable
    {
        public int Watch => watch;

        public Action Changed => changed;

        public void Dispose() => owner.Remove(this);
    }
}
