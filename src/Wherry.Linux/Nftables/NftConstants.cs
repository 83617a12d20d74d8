namespace Wherry.Linux.Nftables;

/// <summary>Where in a packet's way a base chain is called (NF_INET_*).</summary>
public enum NftHook
{
    Prerouting = 0,
    Input = 1,
    Forward = 2,
    Output = 3,
    Postrouting = 4,
}

/// <summary>The order of base chains at one hook; lower comes first. Named as in nft(8).</summary>
public enum NftPriority
{
    Raw = -300,
    DestinationNat = -100,
    Filter = 0,
    SourceNat = 100,
}

/// <summary>What happens to the packet (netfilter's NF_DROP, NF_ACCEPT; NFT_JUMP, NFT_RETURN).</summary>
public enum NftVerdict
{
    Drop = 0,
    Accept = 1,
    Jump = -3,
    Return = -5,
}

/// <summary>
/// A packet's scratch registers of 4 bytes each (NFT_REG32_nn). A value of more than 4 bytes fills several in a row, which
/// is also how concatenated keys are put together.
/// </summary>
public enum NftRegister
{
    R0 = 8,
    R1 = 9,
    R2 = 10,
    R3 = 11,
}

/// <summary>What of a packet's surroundings to load (NFT_META_*).</summary>
public enum NftMeta
{
    InputInterfaceName = 6,
    OutputInterfaceName = 7,
    TransportProtocol = 16,
}

/// <summary>What of a packet's connection to load (NFT_CT_*).</summary>
public enum NftConntrack
{
    State = 0,
    Status = 2,
}

/// <summary>
/// The data types nft(8) knows, by its own numbers. The kernel only keeps them; nft needs them to print a set. Several types
/// concatenate to one number of six bits each.
/// </summary>
public enum NftType
{
    Ipv4Address = 7,
    TransportProtocol = 12,
    Port = 13,
}
