using System.Net;

namespace Wherry.Networking.Publishing;

/// <summary>
/// Serves a published port on an IPv6 address from inside the engine, because the kernel can't translate IPv6 to the
/// container's IPv4. The socket is bound when the object is made; disposing ends it and its connections.
/// </summary>
internal interface IRelay : IDisposable
{
    /// <summary>Begins to serve.</summary>
    void Start(IPAddress container);
}
