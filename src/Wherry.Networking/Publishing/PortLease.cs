using System.Net;
using Wherry.Linux;
using Wherry.Networking.Bridge;

namespace Wherry.Networking.Publishing;

/// <summary>
/// The host ports one endpoint holds: claims that keep others from binding them, and the relays that serve the IPv6 side.
/// Disposing gives all of them up; connections through the relays end.
/// </summary>
internal sealed class PortLease(string endpointId, string containerName) : IDisposable
{
    private readonly List<FileDescriptor> _claims = [];
    private readonly List<IRelay> _relays = [];
    private readonly List<PublishedPort> _ports = [];
    private PortLedger? _ledger;

    public string EndpointId => endpointId;

    public string ContainerName => containerName;

    public IReadOnlyList<PublishedPort> Ports => _ports;

    public void Add(PublishedPort port, FileDescriptor? claim)
    {
        _ports.Add(port);
        if (claim is not null)
        {
            _claims.Add(claim);
        }
    }

    public void Add(PublishedPort port, IRelay? relay)
    {
        _ports.Add(port);
        if (relay is not null)
        {
            _relays.Add(relay);
        }
    }

    /// <summary>Hands everything to another lease of the same endpoint.</summary>
    public void MoveTo(PortLease other)
    {
        other._ports.AddRange(_ports);
        other._claims.AddRange(_claims);
        other._relays.AddRange(_relays);
        _ports.Clear();
        _claims.Clear();
        _relays.Clear();
    }

    /// <summary>Ties the lease to the ledger that it must be struck from when it ends.</summary>
    public void Entered(PortLedger ledger) => _ledger = ledger;

    /// <summary>Starts the relays; before this a client's connection waits in the listener's queue.</summary>
    public void Activate(IPAddress container)
    {
        foreach (var relay in _relays)
        {
            relay.Start(container);
        }
    }

    public void Dispose()
    {
        foreach (var relay in _relays)
        {
            relay.Dispose();
        }

        foreach (var claim in _claims)
        {
            claim.Dispose();
        }

        _relays.Clear();
        _claims.Clear();
        _ledger?.Strike(this);
        _ledger = null;
    }
}
