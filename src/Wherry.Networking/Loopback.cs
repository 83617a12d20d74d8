using Wherry.Linux.Netlink;
using Wherry.Linux.NetworkNamespaces;

namespace Wherry.Networking;

/// <summary>The loopback interface of a network namespace without other interfaces (<c>--network none</c>).</summary>
public static class Loopback
{
    /// <param name="networkNamespacePath">E.g. <c>/proc/PID/ns/net</c>; opened before this returns its task.</param>
    /// <param name="cancel">Checked before the start; the work itself takes well under a millisecond.</param>
    public static async Task BringUpAsync(string networkNamespacePath, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        using var target = NetworkNamespace.Open(networkNamespacePath);
        await NetworkNamespace.OnOwnThreadAsync(() =>
        {
            target.Enter();
            using var socket = NetlinkSocket.Open(NetlinkSocket.Route);
            var batch = new NetlinkBatch(64);
            Links.SetUp(batch, Links.LoopbackIndex, "lo");
            socket.Execute(batch);
            return true;
        });
    }
}
