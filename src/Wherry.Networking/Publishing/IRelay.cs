using System.Net;

namespace Wherry.Networking.Publishing;

/// <summary>
/// Serves a published port from inside the engine, where the kernel can't lead packets to the container: from an IPv6
/// address to the container's IPv4, or into a network namespace that the host has no way to. The socket is bound when the object is made; disposing ends it and its connections.
/// </summary>
internal interface IRelay : IDisposable
{
    /// <summary>Begins to serve.</summary>
    void Start(IPAddress container);
}
