using Wherry.Errors;

namespace Wherry.Networking.Addressing;

/// <summary>
/// Hands out a subnet's addresses. The search always goes on behind the last address given, so one that was freed comes
/// round again as late as possible: a client that still remembers the former owner does not meet a stranger.
/// A container that returns gets its former address while nobody else has it. Thread-safe; each call takes constant time
/// unless the subnet is nearly full.
/// </summary>
public sealed class AddressPool
{
    // Remembering former addresses is a courtesy; its memory is bounded, whatever the uptime.
    private const int Remembered = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<uint, string> _owners = [];
    private readonly HashSet<uint> _draining = [];
    private readonly Dictionary<string, uint> _former = new(StringComparer.Ordinal);
    private readonly Queue<string> _formerOrder = new();
    private uint _last;

    public AddressPool(Ipv4Subnet subnet, Ipv4Address gateway)
    {
        Subnet = subnet;
        Gateway = gateway;
        _last = gateway.Value;
    }

    public Ipv4Subnet Subnet { get; }

    public Ipv4Address Gateway { get; }

    private uint First => Subnet.Network.Value + 1;

    private uint Last => Subnet.Broadcast.Value - 1;

    /// <summary>Gives <paramref name="owner"/> an address, or null when every one is taken or still draining.</summary>
    public Ipv4Address? TryAllocate(string owner)
    {
        lock (_gate)
        {
            if (_former.TryGetValue(owner, out var former) && IsFree(former))
            {
                return Give(former, owner);
            }

            var candidate = _last;
            for (var tried = 0u; tried <= Last - First; tried++)
            {
                candidate = candidate >= Last || candidate < First ? First : candidate + 1;
                if (IsFree(candidate))
                {
                    _last = candidate;
                    return Give(candidate, owner);
                }
            }

            return null;
        }
    }

    /// <summary>The owner's former address when only its link, about to go, keeps it from having it again; else null.</summary>
    public Ipv4Address? DrainingAddressOf(string owner)
    {
        lock (_gate)
        {
            return _former.TryGetValue(owner, out var former) && _draining.Contains(former) ? new Ipv4Address(former) : null;
        }
    }

    /// <summary>Takes one address by name: what a user asked for, or what a living container already has.</summary>
    /// <exception cref="WherryException">The address is outside the subnet, reserved, or somebody else's.</exception>
    public void Take(Ipv4Address address, string owner)
    {
        if (!Subnet.Contains(address))
        {
            throw WherryException.Invalid($"address {address} is not in the bridge's subnet {Subnet}");
        }

        if (address == Gateway || address.Value < First || address.Value > Last)
        {
            throw WherryException.Invalid($"address {address} is reserved in {Subnet} (network, gateway or broadcast address)");
        }

        lock (_gate)
        {
            if (_owners.TryGetValue(address.Value, out var holder) && holder != owner)
            {
                throw WherryException.Conflict($"address {address} is already in use by container {holder}");
            }

            _draining.Remove(address.Value);
            _owners[address.Value] = owner;
            if (address.Value > _last)
            {
                _last = address.Value;
            }
        }
    }

    /// <summary>Frees an address whose link may still be there for a moment: nobody gets it before <see cref="Drained"/>.</summary>
    public void Release(Ipv4Address address, string owner)
    {
        lock (_gate)
        {
            if (_owners.GetValueOrDefault(address.Value) == owner)
            {
                _owners.Remove(address.Value);
                _draining.Add(address.Value);
                Remember(owner, address.Value);
            }
        }
    }

    /// <summary>The link that had the address is gone; it may be given again.</summary>
    public void Drained(Ipv4Address address)
    {
        lock (_gate)
        {
            _draining.Remove(address.Value);
        }
    }

    private bool IsFree(uint address) => address != Gateway.Value && !_owners.ContainsKey(address) && !_draining.Contains(address);

    private Ipv4Address Give(uint address, string owner)
    {
        _owners[address] = owner;
        return new Ipv4Address(address);
    }

    private void Remember(string owner, uint address)
    {
        if (!_former.ContainsKey(owner))
        {
            _formerOrder.Enqueue(owner);
        }

        _former[owner] = address;
        if (_formerOrder.Count > Remembered)
        {
            _former.Remove(_formerOrder.Dequeue());
        }
    }
}
