using System.Diagnostics;
using Wherry.Linux.Netlink;
using Wherry.Networking.Addressing;

namespace Wherry.Networking.Bridge;

/// <summary>
/// Watches links go after their container ended. Deleting a link blocks for some 20 ms, while the end of its namespace takes
/// it away for nothing, so it is only looked whether it is gone; one whose namespace lives on (another container shares it)
/// is deleted after <see cref="Patience"/>. Works in the background and only while something is leaving.
/// </summary>
internal sealed class LinkReaper(NetlinkSocket route, Action<Ipv4Address> onGone, Action<string> log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ShortInterval = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly List<(string Link, Ipv4Address Address, long Since)> _leaving = [];
    private Task _work = Task.CompletedTask;

    /// <summary>Ends when nothing is leaving any more.</summary>
    public Task Idle
    {
        get
        {
            lock (_gate)
            {
                return _work;
            }
        }
    }

    /// <summary>The link should go; once it has, <c>onGone</c> is told its address.</summary>
    public void Watch(string link, Ipv4Address address)
    {
        lock (_gate)
        {
            _leaving.Add((link, address, Stopwatch.GetTimestamp()));
            if (_leaving.Count == 1)
            {
                _work = Task.Run(WorkAsync);
            }
        }
    }

    /// <summary>Looks in short intervals until something has gone that somebody waits for, or his patience ends.</summary>
    public async Task LookSoonAsync(Func<bool> isDone, TimeSpan patience, CancellationToken cancel)
    {
        var since = Stopwatch.GetTimestamp();
        while (!isDone() && Stopwatch.GetElapsedTime(since) < patience)
        {
            await Task.Delay(ShortInterval, cancel);
            LookOnce();
        }
    }

    /// <summary>Deletes links at the price of one: they are put into a group, which is deleted as a whole.</summary>
    public static void DeleteTogether(NetlinkSocket route, IReadOnlyList<Link> links)
    {
        if (links.Count == 0)
        {
            return;
        }

        // Groups are plain numbers shared by the whole host; a random large one is nobody else's.
        var group = (uint)Random.Shared.Next(1 << 30, int.MaxValue);
        var batch = new NetlinkBatch(64 * links.Count);
        foreach (var link in links)
        {
            Links.SetGroup(batch, link, group);
        }

        try
        {
            route.Execute(batch);
        }
        catch (NetlinkException e) when (e.ErrorNumber == Linux.Errno.ENODEV)
        {
            // One went by itself meanwhile; the others are in the group.
        }

        batch.Clear();
        Links.DeleteGroup(batch, group);
        try
        {
            route.Execute(batch);
        }
        catch (NetlinkException e) when (e.ErrorNumber == Linux.Errno.ENODEV)
        {
            // All went by themselves.
        }
    }

    private async Task WorkAsync()
    {
        try
        {
            do
            {
                await Task.Delay(Interval);
            }
            while (LookOnce());
        }
        catch (ObjectDisposedException)
        {
            // The network was closed; the next engine's restoration looks after what is left.
        }
    }

    /// <summary>Strikes out what has gone; tells whether anything is left to watch.</summary>
    private bool LookOnce()
    {
        (string Link, Ipv4Address Address, long Since)[] leaving;
        lock (_gate)
        {
            leaving = [.. _leaving];
        }

        var gone = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            Look(leaving, gone);
        }
        catch (NetlinkException e)
        {
            log($"watching links go failed, trying on: {e.Message}");
        }

        List<Ipv4Address> freed = [];
        lock (_gate)
        {
            // Two may look at once; each link is struck out, and its address freed, by one of them.
            _leaving.RemoveAll(entry =>
            {
                var isGone = gone.Contains(entry.Link);
                if (isGone)
                {
                    freed.Add(entry.Address);
                }

                return isGone;
            });
            freed.ForEach(onGone);
            return _leaving.Count > 0;
        }
    }

    private void Look((string Link, Ipv4Address Address, long Since)[] leaving, HashSet<string> gone)
    {
        List<Link> overdue = [];
        foreach (var (name, _, since) in leaving)
        {
            if (Links.Find(route, name) is not { } link)
            {
                gone.Add(name);
            }
            else if (Stopwatch.GetElapsedTime(since) > Patience)
            {
                overdue.Add(link);
            }
        }

        DeleteTogether(route, overdue);
    }
}
