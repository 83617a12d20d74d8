using Wherry.Linux.Conntrack;
using Wherry.Linux.Netlink;
using Wherry.Networking.Addressing;

namespace Wherry.Networking.Bridge;

/// <summary>
/// Makes the kernel forget UDP flows that began before a port was published, or that lead to a container that is gone: it
/// would go on treating them as it did then. Concerns published UDP ports only and works in the background.
/// </summary>
internal sealed class StaleFlows(NetlinkSocket netfilter, Action<string> log)
{
    private bool _reported;

    public void AfterPublishing(Endpoint endpoint)
    {
        var batch = new NetlinkBatch();
        foreach (var port in UdpPorts(endpoint))
        {
            ConntrackFlows.DeleteUdpTo(batch, port);
        }

        Run(batch);
    }

    public void AfterWithdrawing(Endpoint endpoint)
    {
        var batch = new NetlinkBatch();
        if (UdpPorts(endpoint).Any())
        {
            ConntrackFlows.DeleteTo(batch, Ipv4Address.Parse(endpoint.Address).Value);
        }

        Run(batch);
    }

    private static IEnumerable<ushort> UdpPorts(Endpoint endpoint) =>
        endpoint.Ports.Where(port => port.Protocol == "udp").Select(port => port.HostPort).Distinct();

    private void Run(NetlinkBatch batch)
    {
        if (batch.Count == 0)
        {
            return;
        }

        _ = Task.Run(() =>
        {
            try
            {
                netfilter.Execute(batch);
            }
            catch (NetlinkException e) when (e.ErrorNumber == Linux.Errno.ENOENT)
            {
                // There was no such flow.
            }
            catch (NetlinkException e)
            {
                if (!_reported)
                {
                    _reported = true;
                    log($"{e.Message} (UDP clients that were there before a container may need a new source port)");
                }
            }
            catch (ObjectDisposedException)
            {
                // The network was closed meanwhile.
            }
        });
    }
}
